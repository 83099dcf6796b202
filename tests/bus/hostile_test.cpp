// Peers that do not keep to the rules: wrong frames, wrong topics, raw bytes on the port. Counted, dropped,
// survived.
#include <random>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.hpp>

#include "consumer/bus/bus.h"

namespace waggle::bus {
namespace {

using namespace std::chrono_literals;
constexpr const char* kAnywhere = "tcp://127.0.0.1:*";

void send_frames(zmq::socket_t& socket, const std::vector<std::string>& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto flags = i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
    REQUIRE(socket.send(zmq::buffer(frames[i]), flags));
  }
}

/// Connects to a port without ZeroMQ, writes, and leaves.
void write_raw(const std::string& endpoint, const std::string& bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  // The other side may hang up at any byte; that is an answer too.
  (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::close(fd);
}

std::string random_bytes(std::mt19937& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

}  // namespace

TEST_CASE("bus: malformed requests are counted and dropped, the next good one is served") {
  Context context;
  RequestServer server(context, kAnywhere);
  zmq::context_t raw_context;
  zmq::socket_t raw(raw_context, zmq::socket_type::dealer);
  raw.set(zmq::sockopt::linger, 0);
  raw.connect(server.endpoint());
  send_frames(raw, {"one frame"});
  send_frames(raw, {"requests/", "payload", "one too many"});
  send_frames(raw, {"replies/", "payload"});
  send_frames(raw, {"", ""});
  send_frames(raw, std::vector<std::string>(1000, "x"));
  send_frames(raw, {"requests/", "good"});
  auto incoming = server.receive(5s);
  REQUIRE(incoming);
  CHECK(incoming->payload == "good");
  CHECK(server.malformed() == 5);
}

TEST_CASE("bus: malformed publications are counted and dropped by the subscriber") {
  zmq::context_t raw_context;
  zmq::socket_t raw(raw_context, zmq::socket_type::pub);
  raw.set(zmq::sockopt::linger, 0);
  raw.bind(kAnywhere);
  Context context;
  Subscriber subscriber(context, {raw.get(zmq::sockopt::last_endpoint)});
  subscriber.subscribe("");
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  std::optional<Message> joined;
  while (!joined && std::chrono::steady_clock::now() < deadline) {
    send_frames(raw, {"events/a/", "joined"});
    joined = subscriber.receive(20ms);
  }
  REQUIRE(joined);

  send_frames(raw, {"events/a/"});
  send_frames(raw, {"events/a/", "x", "y"});
  send_frames(raw, {"no slash", "x"});
  send_frames(raw, {"events/\xff\xfe/", "x"});
  send_frames(raw, {std::string(1000, 'a') + "/", "x"});
  send_frames(raw, {"events/a/", "good"});
  std::optional<Message> message;
  do {
    message = subscriber.receive(5s);
  } while (message && message->payload == "joined");
  REQUIRE(message);
  CHECK(message->payload == "good");
  CHECK(subscriber.malformed() == 5);
}

TEST_CASE("bus: random bytes on every port do no harm") {
  Context context;
  RequestServer server(context, kAnywhere);
  EventProxy proxy(context, kAnywhere, kAnywhere);
  std::mt19937 random(4);
  for (int i = 0; i < 30; ++i) {
    for (const std::string& endpoint :
         {server.endpoint(), proxy.collect_endpoint(), proxy.publish_endpoint()}) {
      write_raw(endpoint, random_bytes(random, 1 + random() % 4096));
      // A good greeting, then garbage where the handshake is expected.
      write_raw(endpoint,
                std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL", 16) + random_bytes(random, 200));
    }
  }
  CHECK_FALSE(server.receive(20ms));
  RequestClient client(context, {server.endpoint()});
  REQUIRE(client.send("still there?"));
  CHECK(server.receive(5s)->payload == "still there?");

  Publisher publisher(context, {proxy.collect_endpoint()});
  Subscriber subscriber(context, {proxy.publish_endpoint()});
  subscriber.subscribe("events/");
  std::optional<Message> heard;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!heard && std::chrono::steady_clock::now() < deadline) {
    publisher.send("events/a/", "x");
    heard = subscriber.receive(20ms);
  }
  CHECK(heard);
}

TEST_CASE("bus: a subscription longer than any topic is refused") {
  Context context;
  EventProxy proxy(context, kAnywhere, kAnywhere);
  Publisher publisher(context, {proxy.inproc_endpoint()});
  zmq::context_t raw_context;
  zmq::socket_t greedy(raw_context, zmq::socket_type::sub);
  greedy.set(zmq::sockopt::linger, 0);
  greedy.connect(proxy.publish_endpoint());
  greedy.set(zmq::sockopt::subscribe, std::string(8192, 'a'));

  Subscriber honest(context, {proxy.publish_endpoint()});
  honest.subscribe("events/");
  std::optional<Message> heard;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!heard && std::chrono::steady_clock::now() < deadline) {
    publisher.send("events/a/", "x");
    publisher.send(std::string(8192, 'a') + "/", "x");
    heard = honest.receive(20ms);
  }
  CHECK(heard);
  zmq::message_t message;
  CHECK_FALSE(greedy.recv(message, zmq::recv_flags::dontwait));
}

TEST_CASE("bus: what is no event and no subscription is counted by the proxy and goes no further") {
  Context context;
  EventProxy proxy(context, kAnywhere, kAnywhere);
  zmq::context_t raw_context;
  zmq::socket_t raw(raw_context, zmq::socket_type::pub), reader(raw_context, zmq::socket_type::xsub);
  for (auto* socket : {&raw, &reader}) socket->set(zmq::sockopt::linger, 0);
  raw.connect(proxy.collect_endpoint());
  reader.connect(proxy.publish_endpoint());
  REQUIRE(reader.send(zmq::buffer(std::string("\x01")), zmq::send_flags::none));   // everything
  REQUIRE(reader.send(zmq::buffer(std::string("hello")), zmq::send_flags::none));  // no subscription
  Subscriber subscriber(context, {proxy.publish_endpoint()});
  subscriber.subscribe("");
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  std::optional<Message> joined;
  while (!joined && std::chrono::steady_clock::now() < deadline) {
    send_frames(raw, {"events/a/", "joined"});
    joined = subscriber.receive(20ms);
  }
  REQUIRE(joined);
  send_frames(raw, {"one frame/"});
  send_frames(raw, {"events/a/", "payload", "one too many"});
  send_frames(raw, {"no slash", "payload"});
  send_frames(raw, {"events/b/", "good"});
  std::optional<Message> good;
  while (std::chrono::steady_clock::now() < deadline && (!good || good->topic != "events/b/")) {
    if (auto message = subscriber.receive(20ms)) good = message;
  }
  REQUIRE(good);
  CHECK(good->payload == "good");
  CHECK(proxy.malformed_events() == 3);
  CHECK(proxy.malformed_subscriptions() == 1);
  CHECK(subscriber.malformed() == 0);
}

}  // namespace waggle::bus

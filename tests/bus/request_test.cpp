// Requests and replies: several clients, several queens, dead queens, keys.
#include <catch2/catch.hpp>

#include "consumer/bus/bus.h"

namespace waggle::bus {
namespace {

using namespace std::chrono_literals;
constexpr const char* kAnywhere = "tcp://127.0.0.1:*";

Security server_with(const KeyPair& own, std::vector<std::string> allowed) {
  return {own.public_key, own.secret_key, "", std::move(allowed)};
}
Security client_with(const KeyPair& own, const KeyPair& server) {
  return {own.public_key, own.secret_key, server.public_key, {}};
}

/// Where a queen was. A socket is closed behind the caller's back; only the end of its context waits for
/// that.
std::string deserted_endpoint() {
  Context context;
  return RequestServer(context, kAnywhere).endpoint();
}

/// Whether a request of this client arrives at the server.
bool gets_through(RequestServer& server, RequestClient& client) {
  if (!client.send("hello")) return false;
  auto incoming = server.receive(2s);
  if (!incoming) return false;
  server.reply(incoming->client, "welcome");
  return client.receive(2s) == "welcome";
}

}  // namespace

TEST_CASE("bus: every client gets its own answer") {
  Context context;
  RequestServer server(context, kAnywhere);
  RequestClient a(context, {server.endpoint()}), b(context, {server.endpoint()});
  REQUIRE(a.send("from a"));
  REQUIRE(b.send("from b"));
  for (int i = 0; i < 2; ++i) {
    auto incoming = server.receive(5s);
    REQUIRE(incoming);
    server.reply(incoming->client, "to " + incoming->payload);
  }
  CHECK(a.receive(5s) == "to from a");
  CHECK(b.receive(5s) == "to from b");
  CHECK_FALSE(a.receive(0ms));
}

TEST_CASE("bus: requests go to a queen that lives") {
  Context context;
  const std::string dead = deserted_endpoint();
  RequestServer server(context, kAnywhere);
  RequestClient client(context, {dead, server.endpoint()});
  for (int i = 0; i < 10; ++i) CHECK(gets_through(server, client));
}

TEST_CASE("bus: no queen: unavailable after a short wait") {
  Context context;
  RequestClient client(context, {"tcp://127.0.0.1:1"});
  const auto start = std::chrono::steady_clock::now();
  auto sent = client.send("x");
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == ErrorCode::unavailable);
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("bus: a queen that starts late is found") {
  Context context;
  const std::string endpoint = deserted_endpoint();
  RequestClient client(context, {endpoint});
  CHECK_FALSE(client.send("too early"));
  std::unique_ptr<RequestServer> server;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!server) {
    // The port is let go a moment after its socket is closed.
    try {
      server = std::make_unique<RequestServer>(context, endpoint);
    } catch (const std::runtime_error&) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
    }
  }
  bool sent = false;
  while (!sent && std::chrono::steady_clock::now() < deadline) sent = client.send("now").has_value();
  CHECK(server->receive(5s)->payload == "now");
}

TEST_CASE("bus: an answer to somebody who left harms nobody") {
  Context context;
  RequestServer server(context, kAnywhere);
  std::optional<RequestServer::Incoming> incoming;
  {
    RequestClient leaving(context, {server.endpoint()});
    REQUIRE(leaving.send("bye"));
    incoming = server.receive(5s);
    REQUIRE(incoming);
  }
  server.reply(incoming->client, "too late");
  server.reply("nobody at all", "too late");
  RequestClient client(context, {server.endpoint()});
  CHECK(gets_through(server, client));
}

TEST_CASE("bus: with keys only the listed clients get through") {
  const KeyPair queen = make_key_pair(), listed = make_key_pair(), stranger = make_key_pair();
  Context server_context(server_with(queen, {listed.public_key}));
  RequestServer server(server_context, kAnywhere);

  Context good(client_with(listed, queen));
  RequestClient welcome(good, {server.endpoint()});
  CHECK(gets_through(server, welcome));

  Context plain;
  RequestClient without_key(plain, {server.endpoint()});
  CHECK_FALSE(gets_through(server, without_key));

  Context unlisted(client_with(stranger, queen));
  RequestClient not_listed(unlisted, {server.endpoint()});
  CHECK_FALSE(gets_through(server, not_listed));

  Context misled(client_with(listed, stranger));
  RequestClient wrong_server(misled, {server.endpoint()});
  CHECK_FALSE(gets_through(server, wrong_server));
  CHECK(gets_through(server, welcome));
}

TEST_CASE("bus: with keys and an empty list nobody gets through") {
  const KeyPair queen = make_key_pair(), client_key = make_key_pair();
  Context server_context(server_with(queen, {}));
  RequestServer server(server_context, kAnywhere);
  Context context(client_with(client_key, queen));
  RequestClient client(context, {server.endpoint()});
  CHECK_FALSE(gets_through(server, client));
}

TEST_CASE(
    "bus: with keys a stranger hears no event, a listed worker does, and the queen's own entrance works") {
  const KeyPair queen = make_key_pair(), listed = make_key_pair();
  Context server_context(server_with(queen, {listed.public_key}));
  EventProxy proxy(server_context, kAnywhere, kAnywhere);
  Publisher own(server_context, {proxy.inproc_endpoint()});
  Context good(client_with(listed, queen)), plain;
  Subscriber worker(good, {proxy.publish_endpoint()}), stranger(plain, {proxy.publish_endpoint()});
  worker.subscribe("");
  stranger.subscribe("");
  std::optional<Message> heard;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!heard && std::chrono::steady_clock::now() < deadline) {
    own.send("jobs/sd15/", "x");
    heard = worker.receive(20ms);
  }
  CHECK(heard);
  CHECK_FALSE(stranger.receive(200ms));
}

TEST_CASE("bus: a text that is no key is refused without repeating it") {
  const KeyPair good = make_key_pair();
  const auto open = [](const Security& security) { Context context(security); };
  CHECK_THROWS_WITH(open({"short", good.secret_key, "", {}}), !Catch::Contains("short"));
  CHECK_THROWS(open({good.public_key, std::string(40, '"'), "", {}}));
  CHECK_THROWS(open({good.public_key, good.secret_key, "", {"nonsense"}}));
  CHECK_NOTHROW(open({good.public_key, good.secret_key, "", {good.public_key}}));
}

}  // namespace waggle::bus

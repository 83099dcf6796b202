// Events through the proxy: from workers, from the queen herself, to those who asked.
#include <functional>

#include <catch2/catch.hpp>

#include "consumer/bus/bus.h"

namespace waggle::bus {
namespace {

using namespace std::chrono_literals;
constexpr const char* kAnywhere = "tcp://127.0.0.1:*";

/// Publishes until the subscriber has it: a subscription takes its time to travel.
std::optional<Message> publish_until_heard(Publisher& publisher, Subscriber& subscriber,
                                           std::string_view topic, std::string_view payload) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < deadline) {
    publisher.send(topic, payload);
    if (auto message = subscriber.receive(20ms)) return message;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("bus: what a worker publishes reaches who subscribed, and nobody else") {
  Context context;
  EventProxy proxy(context, kAnywhere, kAnywhere);
  Publisher worker(context, {proxy.collect_endpoint()});
  Subscriber asked(context, {proxy.publish_endpoint()});
  Subscriber other(context, {proxy.publish_endpoint()});
  asked.subscribe("events/a/");
  other.subscribe("events/b/");
  auto message = publish_until_heard(worker, asked, "events/a/", std::string_view("\0\xff", 2));
  REQUIRE(message);
  CHECK(message->topic == "events/a/");
  CHECK(message->payload == std::string_view("\0\xff", 2));
  REQUIRE(publish_until_heard(worker, other, "events/b/", "b"));
  while (auto more = other.receive(50ms)) CHECK(more->topic == "events/b/");
}

TEST_CASE("bus: the queen publishes through her own proxy without a port") {
  Context context;
  EventProxy proxy(context, kAnywhere, kAnywhere);
  Publisher queen(context, {proxy.inproc_endpoint()});
  Subscriber worker(context, {proxy.publish_endpoint()});
  worker.subscribe("jobs/");
  CHECK(publish_until_heard(queen, worker, "jobs/sd15/", "x"));
}

TEST_CASE("bus: after unsubscribing nothing more comes") {
  Context context;
  EventProxy proxy(context, kAnywhere, kAnywhere);
  Publisher queen(context, {proxy.inproc_endpoint()});
  Subscriber reader(context, {proxy.publish_endpoint()});
  reader.subscribe("events/a/");
  reader.subscribe("events/b/");
  REQUIRE(publish_until_heard(queen, reader, "events/a/", "a"));
  reader.unsubscribe("events/a/");
  REQUIRE(publish_until_heard(queen, reader, "events/b/", "b"));
  // What was on its way is drained; from the moment that b arrives alone, a has stopped.
  while (reader.receive(50ms)) {
  }
  queen.send("events/a/", "a");
  CHECK_FALSE(reader.receive(100ms));
}

TEST_CASE("bus: a subscriber of two queens hears both, and one of them when the other ends") {
  Context context;
  EventProxy first(context, kAnywhere, kAnywhere);
  auto second = std::make_unique<EventProxy>(context, kAnywhere, kAnywhere);
  Publisher worker(context, {first.collect_endpoint(), second->collect_endpoint()});
  Subscriber reader(context, {first.publish_endpoint(), second->publish_endpoint()});
  reader.subscribe("events/");
  CHECK(publish_until_heard(worker, reader, "events/a/", "1"));
  second.reset();
  while (reader.receive(50ms)) {
  }
  CHECK(publish_until_heard(worker, reader, "events/a/", "2"));
}

TEST_CASE("bus: a taken port is an error that names it") {
  Context context;
  RequestServer server(context, kAnywhere);
  CHECK_THROWS_WITH(RequestServer(context, server.endpoint()), Catch::Contains(server.endpoint()));
}

TEST_CASE("bus: a proxy whose publisher floods stops at once") {
  Context context;
  auto proxy = std::make_unique<EventProxy>(context, kAnywhere, kAnywhere);
  Publisher worker(context, {proxy->collect_endpoint()});
  Subscriber reader(context, {proxy->publish_endpoint()});
  reader.subscribe("events/");
  REQUIRE(publish_until_heard(worker, reader, "events/a/", "x"));
  for (int i = 0; i < 50'000; ++i) worker.send("events/a/", "x");
  const auto start = std::chrono::steady_clock::now();
  proxy.reset();
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("bus: a publisher whose queen has gone keeps nothing for her and ends at once") {
  auto workers = std::make_unique<Context>();
  Context queens;
  auto proxy = std::make_unique<EventProxy>(queens, kAnywhere, kAnywhere);
  auto worker = std::make_unique<Publisher>(*workers, std::vector{proxy->collect_endpoint()});
  Subscriber reader(queens, {proxy->publish_endpoint()});
  reader.subscribe("events/");
  REQUIRE(publish_until_heard(*worker, reader, "events/a/", "x"));
  proxy.reset();
  // Long enough for the worker's side to notice that the connection is gone.
  while (reader.receive(100ms)) {
  }
  for (int i = 0; i < 100; ++i) worker->send("events/a/", "x");
  const auto start = std::chrono::steady_clock::now();
  worker.reset();
  workers.reset();
  CHECK(std::chrono::steady_clock::now() - start < 300ms);
}

}  // namespace waggle::bus

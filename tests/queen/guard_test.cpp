// Clients that ask for too much, workers that vanish, models that rest: what a queen does besides admitting
// jobs.
#include <stop_token>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "consumer/program/rate_limiter.h"
#include "consumer/queen/presence.h"
#include "tests/queen/hive.h"

namespace waggle::testing {
namespace {

using namespace std::chrono_literals;
using program::RateLimiter;
using queen::Presence;

StatsReply stats(Hive& hive) {
  const ReplyBody reply = hive.ask(StatsRequest{});
  REQUIRE(std::holds_alternative<StatsReply>(reply));
  return std::get<StatsReply>(reply);
}

ErrorCode refusal(const ReplyBody& reply) {
  REQUIRE(std::holds_alternative<Rejected>(reply));
  return std::get<Rejected>(reply).error.code;
}

WorkerInfo worker(const std::string& id) {
  WorkerInfo info;
  info.id = WorkerId(id);
  info.models = {{"stable-diffusion-v1-5", "sd15", {"sd15"}, true, 0}};
  return info;
}

TEST_CASE("rate limit: a client has its burst at once, then so many a second, whatever others do") {
  RateLimiter limiter(10, 3);
  RateLimiter::Clock::time_point now{};
  for (int i = 0; i < 3; ++i) CHECK_FALSE(limiter.refuse("a", now));
  const auto wait_s = limiter.refuse("a", now);
  REQUIRE(wait_s);
  CHECK(*wait_s == Approx(0.1));
  CHECK_FALSE(limiter.refuse("b", now));
  now += 101ms;
  CHECK_FALSE(limiter.refuse("a", now));
  CHECK(limiter.refuse("a", now));
  now += 1h;  // idleness earns no more than the burst
  for (int i = 0; i < 3; ++i) CHECK_FALSE(limiter.refuse("a", now));
  CHECK(limiter.refuse("a", now));
}

TEST_CASE("rate limit: one large request passes and is paid for afterwards") {
  RateLimiter limiter(10, 5);
  RateLimiter::Clock::time_point now{};
  CHECK_FALSE(limiter.refuse("a", now));
  limiter.charge("a", 99);
  const auto wait_s = limiter.refuse("a", now);
  REQUIRE(wait_s);
  CHECK(*wait_s == Approx(9.6));
  now += 9700ms;
  CHECK_FALSE(limiter.refuse("a", now));
}

TEST_CASE("rate limit: none is none, and very many clients cost no more memory than many") {
  RateLimiter none(0, 0);
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(none.refuse("a", {}));
  RateLimiter limiter(1, 1);
  for (int i = 0; i < 100'000; ++i) CHECK_FALSE(limiter.refuse(std::to_string(i), {}));
}

TEST_CASE("presence: who holds a lease without a connection for as long as the grace is missing") {
  Presence presence(1s);
  const std::vector<std::string> holders{"a", "b"};
  Presence::Clock::time_point now{};
  CHECK(presence.missing(holders, {1, {"a", "b"}}, now).empty());
  CHECK(presence.missing(holders, {1, {"b"}}, now += 5s).empty());
  CHECK(presence.missing(holders, {1, {"b"}}, now += 900ms).empty());
  CHECK(presence.missing(holders, {1, {"b"}}, now += 100ms) == std::vector<std::string>{"a"});
  CHECK(presence.missing(holders, {1, {"b"}}, now += 100ms) == std::vector<std::string>{"a"});
  CHECK(presence.missing({"b"}, {1, {"b"}}, now += 100ms).empty());  // its leases have ended
}

TEST_CASE("presence: one that connects again in time is not missing, however long nobody looked") {
  Presence presence(1s);
  Presence::Clock::time_point now{};
  CHECK(presence.missing({"a"}, {1, {"a"}}, now).empty());
  CHECK(presence.missing({"a"}, {1, {}}, now += 1h).empty());
  CHECK(presence.missing({"a"}, {1, {"a"}}, now += 900ms).empty());
  CHECK(presence.missing({"a"}, {1, {}}, now += 900ms).empty());
  CHECK(presence.missing({"a"}, {1, {"a"}}, now += 900ms).empty());
}

TEST_CASE("presence: a worker that died before anybody saw it is missed like any other") {
  Presence presence(1s);
  Presence::Clock::time_point now{};
  CHECK(presence.missing({}, {1, {}}, now).empty());
  CHECK(presence.missing({"a"}, {1, {}}, now += 1h).empty());
  CHECK(presence.missing({"a"}, {1, {}}, now += 1s) == std::vector<std::string>{"a"});
}

TEST_CASE("presence: when Redis was restarted, everybody has longer for connecting again") {
  Presence presence(1s);
  Presence::Clock::time_point now{};
  CHECK(presence.missing({"a", "b"}, {1, {"a", "b"}}, now).empty());
  CHECK(presence.missing({"a", "b"}, {2, {"b"}}, now += 1h).empty());
  CHECK(presence.missing({"a", "b"}, {2, {"b"}}, now += 2900ms).empty());
  CHECK(presence.missing({"a", "b"}, {2, {"b"}}, now += 100ms) == std::vector<std::string>{"a"});
}

TEST_CASE("queen: a job of a worker whose process ended is queued again long before its lease is over") {
  Hive hive([](queen::Options& options) { options.missed_after = 200ms; });
  const JobId job = hive.submit(a_job());
  ledger::ClaimQuery query{WorkerId("w1"), {"null"}, 1, ""};
  query.token = "life:1";
  {
    ledger::Options options = hive.queen_options().redis;
    options.connection_name = "w1#life";
    ledger::Ledger dying(options);
    const auto claimed = dying.claim(query, hive.queen_options().policy);  // for 15 s
    REQUIRE(claimed);
    REQUIRE(claimed->size() == 1);
  }  // perhaps before a queen has looked even once
  const auto died = std::chrono::steady_clock::now();
  REQUIRE(hive.becomes(job, JobState::queued));
  CHECK(std::chrono::steady_clock::now() - died < 3s);
  CHECK(hive.status(job).attempts.at(0).error.code == ErrorCode::worker_lost);
}

TEST_CASE("queen: a model is paused under all its names, shown so, and resumed") {
  Hive hive;
  REQUIRE(hive.ledger.put_worker(worker("w1"), 60s));
  const ReplyBody paused = hive.ask(PauseRequest{"sd15"});
  REQUIRE(std::holds_alternative<Paused>(paused));
  CHECK(std::get<Paused>(paused).models == std::vector<std::string>{"sd15", "stable-diffusion-v1-5"});
  CHECK(stats(hive).paused == std::vector<std::string>{"sd15", "stable-diffusion-v1-5"});
  const ReplyBody models = hive.ask(ModelsRequest{});
  CHECK(std::get<ModelsReply>(models).models.at(0).paused);

  const JobId job = hive.submit(a_job("stable-diffusion-v1-5"));
  ledger::ClaimQuery query{WorkerId("w1"), {"sd15", "stable-diffusion-v1-5"}, 1, ""};
  CHECK(hive.ledger.claim(query, hive.queen_options().policy)->empty());
  const ReplyBody resumed = hive.ask(ResumeRequest{"stable-diffusion-v1-5"});
  REQUIRE(std::holds_alternative<Resumed>(resumed));
  CHECK(stats(hive).paused.empty());
  CHECK(hive.ledger.claim(query, hive.queen_options().policy)->size() == 1);
  CHECK(refusal(hive.ask(PauseRequest{"../etc"})) == ErrorCode::invalid_request);
  CHECK(refusal(hive.ask(ResumeRequest{""})) == ErrorCode::invalid_request);
}

TEST_CASE("queen: a worker is told to load and unload a model that it serves") {
  Hive hive;
  REQUIRE(hive.ledger.put_worker(worker("w1"), 60s));
  bus::Subscriber subscriber(hive.context(), {hive.endpoints().publish});
  subscriber.subscribe("control/w1/");
  std::optional<Control> heard;
  REQUIRE(eventually([&] {
    CHECK(std::holds_alternative<Told>(hive.ask(LoadModelRequest{WorkerId("w1"), "sd15"})));
    if (const auto message = subscriber.receive(50ms))
      heard = codec::from_msgpack<Control>(message->payload).value();
    return heard.has_value();
  }));
  CHECK(*heard == Control{ControlLoadModel{"sd15"}});
  CHECK(std::holds_alternative<Told>(hive.ask(UnloadModelRequest{WorkerId("w1"), "sd15"})));
  CHECK(refusal(hive.ask(LoadModelRequest{WorkerId("w2"), "sd15"})) == ErrorCode::unknown_worker);
  CHECK(refusal(hive.ask(UnloadModelRequest{WorkerId("w1"), "sdxl"})) == ErrorCode::unknown_model);
}

TEST_CASE("queen: garbage is counted on every socket that it can come to") {
  Hive hive([](queen::Options& options) { options.name = "hive-1"; });
  bus::Publisher publisher(hive.context(), {hive.endpoints().collect});
  // A publisher sends what somebody subscribed to, and nothing before the connection stands.
  bus::Subscriber subscriber(hive.context(), {hive.endpoints().publish});
  subscriber.subscribe("");
  REQUIRE(eventually([&] {
    publisher.send("no topic", "payload");
    return stats(hive).malformed_events > 0;
  }));
  hive.ask_raw("no message", 0ms);
  CHECK(eventually([&] { return stats(hive).malformed_messages == 1; }));
  CHECK(stats(hive).queen == "hive-1");
  CHECK_FALSE(subscriber.receive(0ms));
}

TEST_CASE("queen: a client above its rate is told when to come back, another one is served meanwhile") {
  Hive hive([](queen::Options& options) {
    options.rate_limit = 1;
    options.rate_burst = 5;
  });
  bus::RequestClient other(hive.context(), {hive.endpoints().requests});
  for (int i = 0; i < 5; ++i) hive.submit(a_job());
  const ReplyBody refused = hive.ask(SubmitRequest{a_job()});
  REQUIRE(refusal(refused) == ErrorCode::rate_limited);
  const auto retry_after_s = std::get<Rejected>(refused).error.retry_after_s;
  REQUIRE(retry_after_s);
  CHECK(*retry_after_s > 0);
  CHECK(*retry_after_s <= 1);
  REQUIRE(other.send(codec::to_msgpack(Request{RequestId("r"), StatsRequest{}})));
  const auto answer = other.receive(kPatience);
  REQUIRE(answer);
  const auto reply = codec::from_msgpack<Reply>(*answer);
  REQUIRE(reply);
  REQUIRE(std::holds_alternative<StatsReply>(reply->body));
  CHECK(std::get<StatsReply>(reply->body).rate_limited == 1);
  CHECK(std::get<StatsReply>(reply->body).queued == 5);
}

TEST_CASE("queen: a key that is unlimited, as a bridge's, is not held to the rate of clients") {
  Hive hive([](queen::Options& options) {
    const bus::KeyPair own = bus::make_key_pair(), client = bus::make_key_pair(),
                       bridge = bus::make_key_pair();
    options.security = bus::Security{
        own.public_key, own.secret_key, "", {client.public_key, bridge.public_key}, {bridge.public_key}};
    options.rate_limit = 0.01;
    options.rate_burst = 1;
  });
  hive.stop_queen();
  queen::Queen queen(hive.queen_options());
  const std::string request = codec::to_msgpack(Request{RequestId("r"), StatsRequest{}});
  const auto answers = [&](const std::string& key) {
    const auto reply = codec::from_msgpack<Reply>(queen.answer_message(request, key));
    REQUIRE(reply);
    return std::holds_alternative<StatsReply>(reply->body);
  };
  const auto& keys = hive.queen_options().security->allowed_keys;
  CHECK(answers(keys[0]));
  CHECK_FALSE(answers(keys[0]));
  for (int i = 0; i < 10; ++i) CHECK(answers(keys[1]));
}

TEST_CASE("queen: a flood from one client does not stop another") {
  Hive hive;
  // Sends as fast as it can and never takes an answer.
  const std::jthread flood([&](const std::stop_token& stop) {
    bus::RequestClient client(hive.context(), {hive.endpoints().requests});
    const std::string request = codec::to_msgpack(Request{RequestId("flood"), SubmitRequest{a_job()}});
    while (!stop.stop_requested()) (void)client.send(request, 10ms);
  });
  REQUIRE(eventually([&] { return stats(hive).queued > 100; }));
  for (int i = 0; i < 50; ++i) {
    const auto start = std::chrono::steady_clock::now();
    hive.submit(a_job());
    CHECK(std::chrono::steady_clock::now() - start < 2s);
  }
}

}  // namespace
}  // namespace waggle::testing

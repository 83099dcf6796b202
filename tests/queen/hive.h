// A hive for one test: a real Redis, a queen on free ports that runs on a thread of its own, and a client of
// hers.
//
// Waits for conditions with a deadline and never sleeps for luck.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include <catch2/catch.hpp>
#include <spdlog/spdlog.h>

#include "consumer/bus/bus.h"
#include "consumer/ledger/ledger.h"
#include "consumer/queen/queen.h"
#include "schemas/codec/msgpack.h"
#include "schemas/message.h"
#include "tests/ledger/redis_server.h"

namespace waggle::testing {

inline constexpr std::chrono::seconds kPatience{20};

/// Polls until the condition holds; false when the patience ends first.
inline bool eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline JobRequest a_job(std::string model = "null", int steps = 4) {
  JobRequest request;
  request.model = std::move(model);
  request.prompt = "a bee on a sunflower";
  request.steps = steps;
  return request;
}

class Hive {
 public:
  explicit Hive(const std::function<void(queen::Options&)>& adjust = [](queen::Options&) {})
      : redis("no"), options_(options(redis, adjust)), ledger(options_.redis), client_context_(std::nullopt) {
    spdlog::set_level(spdlog::level::off);  // what goes wrong here is meant to
    start_queen();
  }
  ~Hive() { stop_queen(); }

  void stop_queen() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    client_.reset();
    queen_.reset();
  }
  void start_queen() {
    stopping_ = false;
    queen_ = std::make_unique<queen::Queen>(options_);
    options_.listen = queen_->endpoints();  // a restart is found where the first one was
    client_ = std::make_unique<bus::RequestClient>(client_context_,
                                                   std::vector<std::string>{options_.listen.requests});
    thread_ = std::thread([this] { queen_->run([this] { return stopping_.load(); }); });
  }

  [[nodiscard]] bus::Endpoints endpoints() const { return options_.listen; }
  [[nodiscard]] bus::Context& context() { return client_context_; }
  [[nodiscard]] const queen::Options& queen_options() const { return options_; }

  /// Sends raw bytes and gives the next reply, whatever it answers; nothing after the patience.
  std::optional<Reply> ask_raw(std::string_view bytes, std::chrono::milliseconds patience = kPatience) {
    if (!client_->send(bytes)) return std::nullopt;
    const auto payload = client_->receive(patience);
    if (!payload) return std::nullopt;
    auto reply = codec::from_msgpack<Reply>(*payload);
    REQUIRE(reply);
    return std::move(reply).value();
  }
  ReplyBody ask(RequestBody body) {
    const RequestId id("r" + std::to_string(++requests_));
    const auto reply = ask_raw(codec::to_msgpack(Request{id, std::move(body)}));
    REQUIRE(reply);
    CHECK(reply->id == id);
    return reply->body;
  }
  JobId submit(JobRequest request) {
    const ReplyBody reply = ask(SubmitRequest{std::move(request)});
    if (const auto* rejected = std::get_if<Rejected>(&reply)) FAIL(to_string(rejected->error));
    REQUIRE(std::holds_alternative<Accepted>(reply));
    return std::get<Accepted>(reply).job;
  }
  JobStatus status(const JobId& job) {
    auto found = ledger.status(job);
    if (!found) FAIL(to_string(found.error()));
    return std::move(found).value();
  }
  bool becomes(const JobId& job, JobState state) {
    return eventually([&] {
      const auto found = ledger.status(job);
      return found && found->state == state;
    });
  }
  /// The names of the job's events so far, in order.
  std::vector<std::string> event_names(const JobId& job) {
    const auto page = ledger.events(job, EventId{});
    std::vector<std::string> names;
    if (page) {
      for (const Event& event : page->events) names.emplace_back(name(event.body));
    }
    return names;
  }

  RedisServer redis;

 private:
  static queen::Options options(const RedisServer& redis,
                                const std::function<void(queen::Options&)>& adjust) {
    queen::Options options;
    options.listen = {"tcp://127.0.0.1:*", "tcp://127.0.0.1:*", "tcp://127.0.0.1:*"};
    options.redis = redis.options();
    options.redis.connect_timeout = options.redis.command_timeout = std::chrono::milliseconds(500);
    options.policy.backoff_first = std::chrono::milliseconds(20);
    options.reap_every = std::chrono::milliseconds(50);
    adjust(options);
    return options;
  }

  queen::Options options_;

 public:
  ledger::Ledger ledger;

 private:
  bus::Context client_context_;
  std::unique_ptr<bus::RequestClient> client_;
  std::unique_ptr<queen::Queen> queen_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
  int requests_ = 0;
};

}  // namespace waggle::testing

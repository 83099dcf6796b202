// A ledger over a real Redis and the few moves that its tests make again and again. One server serves a whole
// case; times in the policy are short enough to wait for and long enough not to pass by accident.
#pragma once

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "consumer/ledger/ledger.h"
#include "tests/ledger/redis_server.h"

namespace waggle::testing {

using namespace std::chrono_literals;

/// Version 7, the counter in place of the time: ids in the order of the numbers.
inline JobId job_id(int number) {
  char text[40];
  std::snprintf(text, sizeof text, "019a%04x-%04x-7000-8000-000000000000", number / 65536, number % 65536);
  return JobId(text);
}

/// Waits for a condition, at most ten seconds unless told otherwise.
inline bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds within = 10s) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return condition();
}

struct Desk {
  explicit Desk(const std::string& appendfsync = "no") : server(appendfsync), ledger(server.options()) {
    policy.lease = 60s;
    policy.backoff_first = policy.backoff_max = 0ms;
  }

  static JobRequest request(const std::string& model = "sd15") {
    JobRequest request;
    request.model = model;
    request.prompt = "a bee";
    request.steps = 4;
    return request;
  }
  Result<Accepted> submit(int number, const JobRequest& request, const std::string& batch = "b") {
    auto submitted = ledger.submit(job_id(number), request, batch, "digest", policy);
    if (!submitted) return std::move(submitted).error();
    return std::move(submitted->accepted);
  }
  Result<Accepted> submit(int number) { return submit(number, request()); }

  std::vector<ledger::ClaimedJob> claim(const std::string& worker = "w1", int room = 1,
                                        std::vector<std::string> models = {"sd15"}) {
    auto claimed = ledger.claim({WorkerId(worker), std::move(models), room, "", true}, policy);
    REQUIRE(claimed);
    return std::move(claimed).value();
  }
  ledger::Lease claim_one(const std::string& worker = "w1") {
    auto claimed = claim(worker);
    REQUIRE(claimed.size() == 1);
    return claimed.front().lease;
  }
  std::vector<ledger::Reaped> reap(int limit = 100) {
    auto reaped = ledger.reap(policy, limit);
    REQUIRE(reaped);
    return std::move(reaped->reaped);
  }
  /// Lets the lease of a running job run out and reaps it.
  std::vector<ledger::Reaped> lose(const ledger::Lease& lease) {
    ledger::Policy short_lease = policy;
    short_lease.lease = 1ms;
    REQUIRE(ledger.renew({lease}, short_lease));
    std::vector<ledger::Reaped> reaped;
    REQUIRE(eventually([&] { return !(reaped = reap()).empty(); }));
    return reaped;
  }
  ledger::FinishOutcome finish(const ledger::Lease& lease, EventBody body, Event* logged = nullptr) {
    Event event;
    event.body = std::move(body);
    auto outcome = ledger.finish(lease, event, policy);
    REQUIRE(outcome);
    if (logged != nullptr) *logged = event;
    return *outcome;
  }
  JobStatus status(int number) {
    auto status = ledger.status(job_id(number));
    REQUIRE(status);
    return std::move(status).value();
  }
  /// "queued started completed": the log of a job in words.
  std::string log(int number) {
    auto page = ledger.events(job_id(number), EventId());
    REQUIRE(page);
    std::string words;
    for (const Event& event : page->events) {
      if (!words.empty()) words += ' ';
      words += name(event.body);
    }
    return words;
  }

  RedisServer server;
  ledger::Ledger ledger;
  ledger::Policy policy;
};

inline CompletedEvent completed() { return {{}, 7, 0.5}; }
inline FailedEvent failed(ErrorCode code) { return {Error{code, "it did not work"}}; }

}  // namespace waggle::testing

// One job on its way through the ledger, step by step, with every transition that it makes written down. For
// the conformance suite, which says what the steps should come to.
#pragma once

#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/ledger/desk.h"

namespace waggle::testing {

/// From, to, event. From is empty for a job that is new.
using Transition = std::tuple<std::string, std::string, std::string>;

/// A job on its way. Steps say with `said` how the ledger answered; what they change is seen.
struct Life {
  Desk& desk;
  int job;
  std::set<Transition>& seen;
  ledger::Lease lease{};
  std::string said{};

  [[nodiscard]] std::string state() const { return std::string(name(desk.status(job).state)); }
  [[nodiscard]] std::vector<std::string> events() const {
    std::istringstream words(desk.log(job));
    return {std::istream_iterator<std::string>(words), {}};
  }
  /// A step makes one event, with its transition, or none and no change.
  template <class Step>
  void watch(Step step) {
    const std::string before = state();
    const std::size_t logged = events().size();
    step();
    const auto after = events();
    REQUIRE(after.size() <= logged + 1);
    if (after.size() == logged) {
      CHECK(state() == before);
    } else {
      seen.emplace(before, state(), after.back());
    }
  }

  void submit(int max_attempts) {
    JobRequest request = Desk::request();
    request.max_attempts = max_attempts;
    if (hurried) request.deadline_s = 0.05;
    REQUIRE(desk.submit(job, request));
    seen.emplace("", state(), events().back());
  }
  void submit_again() {
    watch([&] { REQUIRE(desk.submit(job)); });
  }
  void claim() {
    watch([&] { lease = desk.claim_one(); });
  }
  void progress() {
    watch([&] {
      Event event;
      event.body = ProgressEvent{1, 4, 25};
      REQUIRE(desk.ledger.append(lease, event, desk.policy));
    });
  }
  void miss_deadline() {
    watch([&] { REQUIRE(eventually([&] { return !desk.reap().empty(); })); });
  }
  void pause() {
    watch([&] {
      REQUIRE(desk.ledger.pause({"sd15"}));
      said = desk.claim().empty() ? "nothing to claim" : "claimed";
      REQUIRE(desk.ledger.resume({"sd15"}));
    });
  }
  void finish(EventBody body) {
    watch([&] { finish_now(std::move(body)); });
  }
  void finish_now(EventBody body) {
    switch (desk.finish(lease, std::move(body))) {
      case ledger::FinishOutcome::ended:
        said = "ended";
        break;
      case ledger::FinishOutcome::requeued:
        said = "requeued";
        break;
      case ledger::FinishOutcome::dead:
        said = "dead";
        break;
      case ledger::FinishOutcome::cancelled:
        said = "cancelled";
        break;
      case ledger::FinishOutcome::refused:
        said = "refused";
        break;
    }
  }
  void cancel() {
    watch([&] {
      auto outcome = desk.ledger.cancel(job_id(job), desk.policy);
      said = std::string(outcome ? name(outcome->accepted.state) : traits(outcome.error().code).name);
    });
  }
  void requeue() {
    watch([&] {
      auto event = desk.ledger.requeue(job_id(job), desk.policy);
      said = std::string(event ? name(event->body) : traits(event.error().code).name);
    });
  }
  void release() {
    watch([&] {
      Event event;
      auto outcome = desk.ledger.release(lease, event, desk.policy);
      REQUIRE(outcome);
      said = std::string(name(event.body));
    });
  }
  void lose() {
    watch([&] { said = std::string(name(desk.lose(lease).front().event.body)); });
  }

  bool hurried = false;  ///< has a deadline that passes soon
};

}  // namespace waggle::testing

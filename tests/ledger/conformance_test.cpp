// The life of a job as a table: from a situation, by a step, to a state, with what must be in the log. Every
// row runs against the real scripts in a real Redis.
#include "tests/ledger/desk.h"

namespace waggle::testing {
namespace {

using ledger::FinishOutcome;

/// A job on its way. Steps say with `said` how the ledger answered.
struct Life {
  Desk& desk;
  int job;
  ledger::Lease lease{};
  std::string said{};

  void claim() { lease = desk.claim_one(); }
  void finish(EventBody body) {
    switch (desk.finish(lease, std::move(body))) {
      case FinishOutcome::ended:
        said = "ended";
        break;
      case FinishOutcome::requeued:
        said = "requeued";
        break;
      case FinishOutcome::dead:
        said = "dead";
        break;
      case FinishOutcome::cancelled:
        said = "cancelled";
        break;
      case FinishOutcome::refused:
        said = "refused";
        break;
    }
  }
  void cancel() {
    auto outcome = desk.ledger.cancel(job_id(job), desk.policy);
    said =
        outcome ? std::string(name(outcome->accepted.state)) : std::string(traits(outcome.error().code).name);
  }
  void requeue() {
    auto event = desk.ledger.requeue(job_id(job), desk.policy);
    said = event ? std::string(name(event->body)) : std::string(traits(event.error().code).name);
  }
  void release() {
    Event event;
    auto outcome = desk.ledger.release(lease, event, desk.policy);
    REQUIRE(outcome);
    said = std::string(name(event.body));
  }
  void lose() { said = std::string(name(desk.lose(lease).front().event.body)); }
};

struct Row {
  const char* situation;
  int max_attempts;
  std::function<void(Life&)> steps;
  const char* said;
  JobState state;
  const char* log;
};

const FailedEvent kRetryable = failed(ErrorCode::out_of_memory);
const FailedEvent kHopeless = failed(ErrorCode::invalid_request);

const std::vector<Row>& table() {
  static const std::vector<Row> rows = {
      {"admitted", 3, [](Life&) {}, "", JobState::queued, "queued"},
      {"claimed", 3, [](Life& l) { l.claim(); }, "", JobState::running, "queued started"},
      {"completed", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
       },
       "ended", JobState::completed, "queued started completed"},
      {"completed, told twice", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
         l.finish(completed());
       },
       "ended", JobState::completed, "queued started completed"},
      {"completed, then failed by the same attempt", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
         l.finish(kHopeless);
       },
       "ended", JobState::completed, "queued started completed"},
      {"failed beyond help", 3,
       [](Life& l) {
         l.claim();
         l.finish(kHopeless);
       },
       "ended", JobState::failed, "queued started failed"},
      {"failed, attempts left", 3,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
       },
       "requeued", JobState::queued, "queued started retried"},
      {"failed, told twice", 3,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
         l.finish(kRetryable);
       },
       "requeued", JobState::queued, "queued started retried"},
      {"failed, claimed again, the old attempt told twice", 3,
       [](Life& l) {
         l.claim();
         const ledger::Lease old = l.lease;
         l.finish(kRetryable);
         l.claim();
         l.lease = old;
         l.finish(completed());
       },
       "requeued", JobState::running, "queued started retried started"},
      {"failed, attempts used up", 1,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
       },
       "dead", JobState::dead, "queued started dead"},
      {"failed, then completed", 2,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
         l.claim();
         l.finish(completed());
       },
       "ended", JobState::completed, "queued started retried started completed"},
      {"stopped by the worker", 3,
       [](Life& l) {
         l.claim();
         l.finish(CancelledEvent{});
       },
       "ended", JobState::cancelled, "queued started cancelled"},
      {"cancelled while queued", 3, [](Life& l) { l.cancel(); }, "cancelled", JobState::cancelled,
       "queued cancelled"},
      {"cancelled twice", 3,
       [](Life& l) {
         l.cancel();
         l.cancel();
       },
       "job_already_ended", JobState::cancelled, "queued cancelled"},
      {"cancelled while running", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
       },
       "running", JobState::running, "queued started"},
      {"cancelled while running, the worker stops", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.finish(CancelledEvent{});
       },
       "ended", JobState::cancelled, "queued started cancelled"},
      {"cancelled while running, the result comes later", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.finish(completed());
       },
       "cancelled", JobState::cancelled, "queued started cancelled"},
      {"cancelled while running, the worker fails", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.finish(kRetryable);
       },
       "cancelled", JobState::cancelled, "queued started cancelled"},
      {"cancelled while running, the worker dies", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.lose();
       },
       "cancelled", JobState::cancelled, "queued started cancelled"},
      {"cancelled while running, the worker drains", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.release();
       },
       "cancelled", JobState::cancelled, "queued started cancelled"},
      {"cancel of what has completed", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
         l.cancel();
       },
       "job_already_ended", JobState::completed, "queued started completed"},
      {"worker lost", 3,
       [](Life& l) {
         l.claim();
         l.lose();
       },
       "retried", JobState::queued, "queued started retried"},
      {"worker lost, its result comes late", 3,
       [](Life& l) {
         l.claim();
         l.lose();
         l.finish(completed());
       },
       "refused", JobState::queued, "queued started retried"},
      {"worker lost for the last time", 1,
       [](Life& l) {
         l.claim();
         l.lose();
       },
       "dead", JobState::dead, "queued started dead"},
      {"handed back", 1,
       [](Life& l) {
         l.claim();
         l.release();
       },
       "retried", JobState::queued, "queued started retried"},
      {"handed back, then completed in its only attempt", 1,
       [](Life& l) {
         l.claim();
         l.release();
         l.claim();
         l.finish(completed());
       },
       "ended", JobState::completed, "queued started retried started completed"},
      {"dead, requeued", 1,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
         l.requeue();
       },
       "queued", JobState::queued, "queued started dead queued"},
      {"dead, requeued, completed", 1,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
         l.requeue();
         l.claim();
         l.finish(completed());
       },
       "ended", JobState::completed, "queued started dead queued started completed"},
      {"cancelled, requeued", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.finish(completed());
         l.requeue();
       },
       "queued", JobState::queued, "queued started cancelled queued"},
      {"requeue of what waits", 3, [](Life& l) { l.requeue(); }, "invalid_request", JobState::queued,
       "queued"},
      {"requeue of what has completed", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
         l.requeue();
       },
       "invalid_request", JobState::completed, "queued started completed"},
  };
  return rows;
}

}  // namespace

TEST_CASE("ledger conformance: every situation ends in its state, with its log") {
  Desk desk;
  int number = 0;
  for (const Row& row : table()) {
    INFO(row.situation);
    JobRequest request = Desk::request();
    request.max_attempts = row.max_attempts;
    REQUIRE(desk.submit(++number, request));
    Life life{desk, number};
    row.steps(life);
    CHECK(life.said == row.said);
    CHECK(desk.status(number).state == row.state);
    CHECK(desk.log(number) == row.log);

    // Leave nothing behind for the next row.
    if (desk.status(number).state == JobState::queued) life.cancel();
    if (desk.status(number).state == JobState::running) {
      life.lease = {job_id(number), desk.status(number).attempt, WorkerId("w1")};
      life.finish(CancelledEvent{});
    }
    CHECK(is_terminal(desk.status(number).state));
    const auto stats = desk.ledger.stats();
    REQUIRE(stats);
    CHECK(stats->queued + stats->running == 0);
  }
}

}  // namespace waggle::testing

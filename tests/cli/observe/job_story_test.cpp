// A job's history as its event log tells it.
#include "consumer/cli/observe/job_story.h"

#include <catch2/catch.hpp>

using namespace waggle;
using namespace waggle::cli;

namespace {

Event event(int attempt, std::int64_t at_ms, EventBody body) {
  return {JobId("01890a5d-ac96-774b-bcce-b302099a8057"), EventId(), attempt, at_ms, std::move(body)};
}

}  // namespace

TEST_CASE("story: a job that lost a worker has two attempts, with their workers, times and ends") {
  const Error lost{ErrorCode::worker_lost, "the worker vanished", {}, {}};
  const auto attempts = attempts_of({
      event(0, 1000, QueuedEvent{0}),
      event(1, 2000, StartedEvent{WorkerId("a")}),
      event(1, 3000, ProgressEvent{4, 20, 20}),
      event(0, 9000, RetriedEvent{lost, 2, 1.0}),
      event(2, 10000, StartedEvent{WorkerId("b")}),
      event(2, 11000, ProgressEvent{20, 20, 100}),
      event(2, 12500, CompletedEvent{{}, 42, 2.5}),
  });
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].number == 1);
  CHECK(attempts[0].worker == "a");
  CHECK(attempts[0].step == 4);
  CHECK(attempts[0].ended_at_ms == 9000);
  CHECK(attempts[0].end == "retried: worker_lost");
  CHECK(attempts[1].worker == "b");
  CHECK(attempts[1].ended_at_ms == 12500);
  CHECK(attempts[1].end == "completed");
}

TEST_CASE("story: an attempt that goes on has no end, a job that never ran has no attempt") {
  CHECK(attempts_of({event(0, 1, QueuedEvent{0}), event(0, 2, CancelledEvent{})}).empty());
  const auto attempts = attempts_of({event(1, 5, StartedEvent{WorkerId("a")})});
  REQUIRE(attempts.size() == 1);
  CHECK_FALSE(attempts[0].ended_at_ms);
  CHECK(attempts[0].end.empty());
}

TEST_CASE("story: a log that lost its beginning is no harm") {
  CHECK(attempts_of({event(1, 5, ProgressEvent{1, 2, 50}), event(1, 6, CompletedEvent{})}).empty());
}

TEST_CASE("story: times are UTC with milliseconds, a line is one line whatever the error says") {
  CHECK(time_text(0) == "1970-01-01T00:00:00.000Z");
  CHECK(time_text(1795439723123) == "2026-11-23T13:15:23.123Z");
  const std::string line =
      log_line(event(3, 0, FailedEvent{{ErrorCode::internal, "two\nlines\033[2J", {}, {}}}), false);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\033') == std::string::npos);
  CHECK(line.starts_with("1970-01-01T00:00:00.000Z  3  failed"));
}

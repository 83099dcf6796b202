// Texts for people: tables stay aligned, and nothing that came over a wire reaches the terminal as a control
// character.
#include "consumer/cli/report.h"

#include <catch2/catch.hpp>

#include "consumer/cli/exit_code.h"

using namespace waggle;
using namespace waggle::cli;

TEST_CASE("report: columns are aligned by what is seen, not by bytes") {
  CHECK(table({{"A", "B"}, {"long", "x"}}) == "A     B\nlong  x\n");
  CHECK(table({{"ä", "B"}, {"aa", "x"}}) == "ä   B\naa  x\n");
  CHECK(table({{"\033[32mok\033[0m", "B"}, {"aaa", "x"}}) == "\033[32mok\033[0m   B\naaa  x\n");
  CHECK(table({}).empty());
}

TEST_CASE("report: sizes and ages in one unit") {
  CHECK(age_text(-5) == "0 s");
  CHECK(age_text(90) == "90 s");
  CHECK(age_text(600) == "10 min");
  CHECK(age_text(7200) == "2 h");
  CHECK(age_text(3 * 86400) == "3 d");
  CHECK(bytes_text(512) == "512 B");
  CHECK(bytes_text(3'400'000) == "3.4 MB");
}

TEST_CASE("report: control characters of a message do not reach the terminal") {
  const std::string text =
      event_text(FailedEvent{{ErrorCode::internal, "\033]0;title\a\nsecond line", {}, {}}}, false);
  CHECK(text.find('\033') == std::string::npos);
  CHECK(text.find('\n') == std::string::npos);
  JobStatus status;
  status.model = "\033[2Jmodel";
  CHECK(status_text(status, 0, false).find('\033') == std::string::npos);
}

TEST_CASE("report: the events of a job read as sentences") {
  CHECK(event_text(QueuedEvent{1}, false) == "queued, 1 job ahead");
  CHECK(event_text(StartedEvent{WorkerId("gpu-1")}, false) == "started on gpu-1");
  CHECK(event_text(CompletedEvent{{ImageInfo{}, ImageInfo{}}, 42, 3.14}, false) ==
        "completed: 2 images, seed 42, 3.1 s");
  CHECK(event_text(CancelledEvent{}, false) == "cancelled");
  CHECK(event_text(CancelledEvent{}, true) != "cancelled");
}

TEST_CASE("report: a status tells why every attempt failed") {
  JobStatus status;
  status.id = JobId("01890a5d-ac96-774b-bcce-b302099a8057");
  status.state = JobState::dead;
  status.attempts = {{1, WorkerId("gpu-1"), {ErrorCode::worker_lost, "the worker vanished", {}, {}}, 0}};
  const std::string text = status_text(status, 5000, false);
  INFO(text);
  CHECK(text.find("dead") != std::string::npos);
  CHECK(text.find("gpu-1: worker_lost: the worker vanished") != std::string::npos);
}

TEST_CASE("exit codes: every error of the table has one that is not success") {
  for (const ErrorTraits& row : error_table()) {
    INFO(row.name);
    CHECK(exit_code(row.code) != ExitCode::ok);
    CHECK(exit_code(row.code) != ExitCode::interrupted);
  }
  CHECK(exit_code(ErrorCode::unknown_job) == ExitCode::usage);
  CHECK(exit_code(ErrorCode::unavailable) == ExitCode::unavailable);
  CHECK(exit_code(JobState::cancelled) == ExitCode::cancelled);
  CHECK(exit_code(JobState::dead) == ExitCode::job_failed);
}

// Where a run stands, as text: by a clock that is handed in.
#include "consumer/cli/batch/reporter.h"

#include <string>

#include <catch2/catch.hpp>

#include "consumer/cli/batch/tally.h"

using namespace waggle::cli::batch;
using namespace std::chrono_literals;

TEST_CASE("tally: rate and time left come from the jobs that ended lately") {
  Tally tally(100, 10, 0);
  Tally::Clock::time_point now{};
  CHECK_FALSE(tally.jobs_per_s(now));
  for (std::size_t i = 0; i < 40; ++i) {
    tally.submitted(i, "a fox");
    tally.completed(i, now += 500ms);
  }
  CHECK(tally.done() == 50);
  CHECK(tally.jobs_per_s(now).value() == Approx(2));
  CHECK(tally.eta_s(now).value() == Approx(25));
  // A pool that stands still slows down.
  CHECK(tally.jobs_per_s(now + 20s).value() == Approx(39 / 39.5).epsilon(0.01));
  for (std::size_t i = 40; i < 80; ++i) tally.completed(i, now += 10s);
  CHECK(tally.jobs_per_s(now).value() == Approx(0.1).epsilon(0.05));
}

TEST_CASE("live block: the run, then a line for each worker, none wider than the terminal") {
  Tally tally(8, 2, 1);
  tally.submitted(3, "a very long prompt about лиса в снегу that does not fit");
  tally.submitted(4, "a bee\n\033[31m");
  tally.submitted(5, "waits");
  tally.submitted(6, "an owl");
  tally.started(3, "worker-1");
  tally.started(4, "worker-2");
  tally.started(6, "worker-2");
  tally.progressed(3, 10, 20);
  const auto lines = live_lines(tally, 60, {});
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == " 37% [#########...............] 3/8 jobs, 1 failed");
  CHECK(lines[1].starts_with("  worker-1 [######......] a very long prompt"));
  CHECK(lines[2] == "  worker-2 [............] x2 a bee??[31m");
  for (const int width : {20, 30, 44}) {
    for (const std::string& line : live_lines(tally, width, {})) {
      int columns = 0;
      for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
      CHECK(columns <= width);
    }
  }
  tally.waits_for("the queue is full");
  CHECK(state_line(tally, {}).ends_with("the queue is full"));
}

TEST_CASE("live block: many workers end in a count") {
  Tally tally(100, 0, 0);
  for (std::size_t i = 0; i < 40; ++i) {
    tally.submitted(i, "a fox");
    tally.started(i, "worker-" + std::to_string(i));
  }
  const auto lines = live_lines(tally, 80, {});
  CHECK(lines.size() == 14);
  CHECK(lines.back() == "  and 28 more workers");
}

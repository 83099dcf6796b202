// The progress line as text, and the step rate with a clock of the test's own.
#include "consumer/cli/progress_bar.h"

#include <limits>

#include <catch2/catch.hpp>

using namespace waggle::cli;
using namespace std::chrono_literals;

TEST_CASE("progress: the line shows percent, bar, steps, rate and time left") {
  CHECK(progress_line({"", 8, 20, 4.0}, 60) ==
        " 40% [##########...............] 8/20  4.00 step/s  eta 0:03");
  CHECK(progress_line({"", 0, 20, 0}, 60) == "  0% [..............................] 0/20");
  CHECK(progress_line({"", 20, 20, 0}, 60) == "100% [##############################] 20/20");
}

TEST_CASE("progress: slow steps are told in seconds a step") {
  CHECK(progress_line({"", 1, 20, 0.5}, 100).find("2.00 s/step  eta 0:38") != std::string::npos);
}

TEST_CASE("progress: no width is exceeded and no input breaks the line") {
  for (int width = 0; width <= 120; ++width) {
    CHECK(static_cast<int>(progress_line({"a label", 8, 20, 4.0}, width).size()) <= width);
  }
  CHECK(progress_line({"", 30, 20, 1}, 60).find("100%") != std::string::npos);
  CHECK(progress_line({"", -3, 0, 1}, 60).find("  0%") == 0);
}

TEST_CASE("progress: times as people write them") {
  CHECK(clock_text(0) == "0:00");
  CHECK(clock_text(63) == "1:03");
  CHECK(clock_text(3723) == "1:02:03");
  CHECK(clock_text(-1) == "--:--");
  CHECK(clock_text(std::numeric_limits<double>::infinity()) == "--:--");
}

TEST_CASE("progress: the rate leaves out the first step and starts anew when the count goes back") {
  StepRate rate;
  const StepRate::Clock::time_point start{};
  rate.add(1, start + 10s);
  CHECK(rate.steps_per_s() == 0);
  rate.add(5, start + 12s);
  CHECK(rate.steps_per_s() == Approx(2.0));
  rate.add(1, start + 20s);
  CHECK(rate.steps_per_s() == 0);
  rate.add(2, start + 24s);
  CHECK(rate.steps_per_s() == Approx(0.25));
}

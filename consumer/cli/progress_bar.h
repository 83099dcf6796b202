// A progress bar with step rate and time left. The line is a pure function of its input, so tests read it as
// text; the bar itself draws only on a terminal.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "consumer/cli/terminal.h"

namespace waggle::cli {

struct ProgressView {
  std::string_view label;  ///< "denoise", a job id, ...
  int step = 0, total = 0;
  double steps_per_s = 0;  ///< 0: not known yet
};

/// " 40% [########............]  8/20  3.42 step/s  eta 0:03", never wider than `width` columns.
std::string progress_line(const ProgressView& view, int width);

/// "0:03", "1:02:03"; "--:--" for anything negative or not finite.
std::string clock_text(double seconds);

/// Steps a second, measured from the first step on: the first step waits for caches and kernels that the
/// others have.
class StepRate {
 public:
  using Clock = std::chrono::steady_clock;
  void add(int step, Clock::time_point now);
  [[nodiscard]] double steps_per_s() const { return steps_per_s_; }

 private:
  int first_step_ = -1, last_step_ = -1;
  Clock::time_point first_at_{};
  double steps_per_s_ = 0;
};

/// Draws on standard error, in place; silent when that is no terminal. Clears its line when destroyed.
class ProgressBar {
 public:
  ProgressBar(const Terminal& terminal, std::string label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  void update(int step, int total);
  void note(std::string_view text);  ///< text in place of the bar until the next update
  void clear();
  /// Starts the rate anew: another attempt counts from the beginning.
  void restart();

 private:
  void draw(const std::string& line);
  const Terminal& terminal_;
  std::string label_;
  StepRate rate_;
  bool drawn_ = false;
};

}  // namespace waggle::cli

// Rendering of the progress line and its drawing on standard error.
#include "consumer/cli/progress_bar.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace waggle::cli {

namespace {
constexpr int kBarWidth = 30;  ///< columns; less on a narrow terminal

std::string formatted(const char* format, auto... values) {
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, format, values...);
  return buffer;
}
}  // namespace

std::string clock_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e8) return "--:--";
  const auto whole = static_cast<long>(std::lround(seconds));
  const long hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  return hours > 0 ? formatted("%ld:%02ld:%02ld", hours, minutes, rest)
                   : formatted("%ld:%02ld", minutes, rest);
}

std::string progress_line(const ProgressView& view, int width) {
  const int total = std::max(view.total, 1);
  const int step = std::clamp(view.step, 0, total);
  std::string head = view.label.empty() ? std::string() : std::string(view.label) + " ";
  head += formatted("%3d%% ", static_cast<int>(100LL * step / total));
  std::string tail = formatted(" %d/%d", step, total);
  if (view.steps_per_s > 0) {
    // Under one step a second people think in seconds a step.
    tail += view.steps_per_s >= 1 ? formatted("  %.2f step/s", view.steps_per_s)
                                  : formatted("  %.2f s/step", 1 / view.steps_per_s);
    tail += "  eta " + clock_text((total - step) / view.steps_per_s);
  }
  const int room = width - static_cast<int>(head.size() + tail.size()) - 2;
  std::string line = head;
  if (room >= 5) {
    const int cells = std::min(room, kBarWidth);
    const auto filled = static_cast<std::size_t>(static_cast<long long>(cells) * step / total);
    line += '[' + std::string(filled, '#') + std::string(static_cast<std::size_t>(cells) - filled, '.') + ']';
  }
  line += tail;
  if (static_cast<int>(line.size()) > width) line.resize(static_cast<std::size_t>(std::max(width, 0)));
  return line;
}

void StepRate::add(int step, Clock::time_point now) {
  const bool anew = first_step_ < 0 || step < last_step_;
  last_step_ = step;
  if (anew) {
    first_step_ = step;
    first_at_ = now;
    steps_per_s_ = 0;
    return;
  }
  const double elapsed = std::chrono::duration<double>(now - first_at_).count();
  if (step > first_step_ && elapsed > 0) steps_per_s_ = (step - first_step_) / elapsed;
}

ProgressBar::ProgressBar(const Terminal& terminal, std::string label)
    : terminal_(terminal), label_(std::move(label)) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::update(int step, int total) {
  rate_.add(step, StepRate::Clock::now());
  draw(progress_line({label_, step, total, rate_.steps_per_s()}, terminal_.width - 1));
}

void ProgressBar::note(std::string_view text) {
  std::string line = printable(text);
  line.resize(std::min(line.size(), static_cast<std::size_t>(std::max(terminal_.width - 1, 0))));
  draw(line);
}

void ProgressBar::draw(const std::string& line) {
  if (!terminal_.err_is_terminal) return;
  std::fprintf(stderr, "\r%s\033[K", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

void ProgressBar::restart() { rate_ = StepRate(); }

}  // namespace waggle::cli

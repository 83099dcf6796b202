// Speed and liveliness of the engine.
#include "pipeline/engine/step_clock.h"

#include <algorithm>

namespace waggle::pipeline {

void StepClock::record(const Call& call, Clock::duration duration) {
  const std::lock_guard lock(mutex_);
  const double seconds = std::chrono::duration<double>(duration).count();
  recent_[recorded_++ % kWindow] = seconds;
  inside_ += seconds;
  ++calls_;
  images_ += static_cast<std::int64_t>(call.images);
  (call.shallow ? shallow_rows_ : rows_) += static_cast<std::int64_t>(call.rows);
  last_ = Clock::now();
}

void StepClock::set_busy(std::int64_t jobs_running) {
  const std::lock_guard lock(mutex_);
  if (jobs_ == 0) last_ = Clock::now();
  jobs_ = jobs_running;
}

void StepClock::progress() {
  const std::lock_guard lock(mutex_);
  last_ = Clock::now();
}

void StepClock::fill(EngineStats& stats) const {
  const std::lock_guard lock(mutex_);
  stats.jobs_running = jobs_;
  stats.unet_calls = calls_;
  stats.unet_s = inside_;
  stats.unet_images = images_;
  stats.unet_rows = rows_;
  stats.unet_shallow_rows = shallow_rows_;
  if (const std::size_t count = std::min(recorded_, kWindow); count > 0) {
    auto sorted = recent_;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count / 2),
                     sorted.begin() + static_cast<std::ptrdiff_t>(count));
    stats.step_median_s = sorted[count / 2];
  }
  stats.since_progress_s = jobs_ == 0 ? 0.0 : std::chrono::duration<double>(Clock::now() - last_).count();
}

}  // namespace waggle::pipeline

// How fast and how lively the engine is: counts of UNet calls, their recent median, the time since the last
// one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "pipeline/pipeline.h"

namespace waggle::pipeline {

class StepClock {
 public:
  using Clock = std::chrono::steady_clock;

  struct Call {
    std::size_t images = 0, rows = 0;
    bool shallow = false;  ///< of the UNet's outermost layers alone
  };
  /// A UNet call took `duration`.
  void record(const Call& call, Clock::duration duration);
  /// Work has begun or ended; while idle no time counts as lack of progress.
  void set_busy(std::int64_t jobs_running);
  /// Something other than a UNet call moved on (a decode, a prompt).
  void progress();

  void fill(EngineStats& stats) const;

 private:
  static constexpr std::size_t kWindow = 32;
  mutable std::mutex mutex_;
  std::array<double, kWindow> recent_{};  // seconds
  std::size_t recorded_ = 0;
  double inside_ = 0;  // seconds in all calls
  std::int64_t calls_ = 0, images_ = 0, rows_ = 0, shallow_rows_ = 0, jobs_ = 0;
  Clock::time_point last_ = Clock::now();
};

}  // namespace waggle::pipeline

// The rules that say when something has taken too long. Pure: the time is given, never asked for.
#pragma once

#include <chrono>
#include <cstdint>

#include "pipeline/pipeline.h"
#include "schemas/error.h"
#include "schemas/operation.h"

namespace waggle::worker {

using Seconds = std::chrono::duration<double>;

/// The wedge clock. A device that hangs gives no error: it only stops.
class WedgeClock {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Silence below `floor` is never too long. Before the first step has been measured, the limit is `first`:
  /// a cold device compiles, loads and tunes.
  explicit WedgeClock(Seconds floor, Seconds first) : floor_(floor), first_(first) {}

  /// Feeds what is known now; true when jobs run and nothing has moved for max(floor, 10 x median step).
  /// `signs` grows with every sign of life (a callback of a job).
  bool wedged(Time now, const pipeline::EngineStats& stats, std::uint64_t signs);

 private:
  Seconds floor_, first_;
  Time alive_at_{};
  std::uint64_t signs_ = 0;
  std::int64_t unet_calls_ = 0, jobs_running_ = 0;
};

/// How long one attempt may take: `base` (loading included) and `per_step` for each step of each image of
/// 512x512 pixels, in proportion for other sizes. What the request leaves to the model is guessed high.
Seconds attempt_limit(const JobRequest& request, Seconds base, Seconds per_step);

/// The circuit breaker: opens after so many failures in a row that are the worker's own fault, and stays
/// open.
class Breaker {
 public:
  explicit Breaker(int limit) : limit_(limit) {}
  void succeeded() { failures_ = 0; }
  /// True when this failure opens it.
  bool failed(ErrorCode code);
  [[nodiscard]] bool open() const { return failures_ >= limit_; }

 private:
  int limit_;
  int failures_ = 0;
};

}  // namespace waggle::worker

// Stalls, limits and the circuit breaker.
#include "consumer/worker/clocks.h"

#include <algorithm>
#include <variant>

namespace waggle::worker {
namespace {

constexpr double kMedians = 10;
constexpr int kGuessedSteps = 50;
constexpr int kGuessedSide = 1024;
constexpr double kUnitPixels = 512.0 * 512.0;

}  // namespace

bool WedgeClock::wedged(Time now, const pipeline::EngineStats& stats, std::uint64_t signs) {
  const bool moved =
      signs != signs_ || stats.unet_calls != unet_calls_ || stats.jobs_running != jobs_running_;
  signs_ = signs;
  unet_calls_ = stats.unet_calls;
  jobs_running_ = stats.jobs_running;
  if (moved || stats.jobs_running == 0) {
    alive_at_ = now;
    return false;
  }
  const Seconds limit = stats.step_median_s > 0 ? std::max(floor_, Seconds(kMedians * stats.step_median_s))
                                                : std::max(floor_, first_);
  return now - alive_at_ > limit;
}

Seconds attempt_limit(const JobRequest& request, Seconds base, Seconds per_step) {
  const auto side = [](const std::optional<int>& pixels) { return pixels.value_or(kGuessedSide); };
  const double pixels = std::visit(
      [&](const auto& operation) { return double(side(operation.width)) * double(side(operation.height)); },
      request.operation);
  const double steps = request.steps.value_or(kGuessedSteps) * double(request.n);
  return base + per_step * steps * std::max(1.0, pixels / kUnitPixels);
}

bool Breaker::failed(ErrorCode code) {
  switch (code) {
    case ErrorCode::device_error:
    case ErrorCode::out_of_memory:
    case ErrorCode::internal:
      return ++failures_ == limit_;
    default:
      // The job's own fault says nothing of the worker.
      return false;
  }
}

}  // namespace waggle::worker

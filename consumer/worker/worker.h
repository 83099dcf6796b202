// A worker: claims jobs that it can do, has them rendered, and leaves the pool in order. Holds together the
// starter (to the renderer), the reporter (to the record) and the keeper (leases, heartbeats, clocks).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "consumer/bus/bus.h"
#include "consumer/program/stop_signal.h"
#include "consumer/worker/assignment.h"
#include "consumer/worker/claims.h"
#include "consumer/worker/clocks.h"
#include "consumer/worker/keeper.h"
#include "consumer/worker/renderer.h"
#include "consumer/worker/reporter.h"
#include "consumer/worker/settings.h"
#include "consumer/worker/starter.h"
#include "consumer/worker/wake.h"

namespace waggle::worker {

class Worker {
 public:
  /// `wedged` is called on another thread when the device hangs; it is expected not to return, because a hung
  /// device cannot be shut down in order.
  Worker(Settings settings, std::unique_ptr<Renderer> renderer, std::function<void()> wedged);
  ~Worker();

  /// Serves until the first signal or a drain by control message; then finishes what is in hand, or hands it
  /// back when the time for that is over or a second signal comes. The worker has left the pool when it
  /// returns.
  void run(const program::StopSignal& stop);

  /// As the next heartbeat will say.
  [[nodiscard]] WorkerInfo info() const;

 private:
  using Clock = std::chrono::steady_clock;
  void serve(const program::StopSignal& stop);
  void drain(const program::StopSignal& stop);
  /// True when there may be something to claim.
  bool read_messages();
  void obey(std::string_view payload);
  void claim();
  void begin(std::vector<ledger::ClaimedJob> jobs, bool joining = false);
  void gone(const AssignmentPtr& assignment, const Verdict& verdict);
  void wait(int stop_descriptor, std::chrono::milliseconds timeout);

  const Settings settings_;
  std::unique_ptr<Renderer> renderer_;
  const std::int64_t started_at_ms_;
  std::vector<std::string> model_names_;  ///< aliases included
  bus::Context context_;
  Claims claims_;
  bus::Subscriber subscriber_;
  Assignments in_hand_;
  Wake wake_;
  Breaker breaker_;  ///< of the reporter's thread
  std::atomic<bool> broken_{false}, draining_{false};
  std::atomic<std::int64_t> jobs_done_{0}, jobs_failed_{0};
  int joined_ = 0;                       ///< jobs that joined the batch since it began
  std::atomic<bool> more_waits_{false};  ///< the last claim got all that it had room for
  std::atomic<std::uint64_t> malformed_{0};
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<Starter> starter_;
  std::unique_ptr<Keeper> keeper_;
};

}  // namespace waggle::worker

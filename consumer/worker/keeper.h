// The thread that keeps the leases of the jobs in hand, says that the worker is alive, and watches the
// clocks. Rendering cannot block it: it has its own connections and waits for nobody.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "consumer/bus/bus.h"
#include "consumer/ledger/ledger.h"
#include "consumer/worker/assignment.h"
#include "consumer/worker/clocks.h"
#include "consumer/worker/settings.h"
#include "schemas/worker_info.h"

namespace waggle::worker {

class Keeper {
 public:
  struct Hooks {
    std::function<WorkerInfo()> describe;  ///< for heartbeats
    std::function<std::uint64_t()> signs;  ///< signs of life of the renderer, counted
    std::function<void()> wedged;  ///< called once, after the jobs in hand have been reported as stalled
  };

  Keeper(const Settings& settings, bus::Context& context, Renderer& renderer, Assignments& in_hand,
         Hooks hooks);
  ~Keeper();

  /// Takes the worker out of the pool and ends the thread, within a second whatever Redis does.
  void leave();

  /// A heartbeat now, because the worker's state has changed.
  void beat_now();

 private:
  using Clock = std::chrono::steady_clock;
  void run();
  /// False when Redis does not answer.
  bool renew();
  void beat();
  void watch_attempts();
  /// True when the device hangs; the jobs in hand have been reported as stalled then.
  bool device_hangs();
  void farewell();

  const Settings& settings_;
  Renderer& renderer_;
  Assignments& in_hand_;
  const Hooks hooks_;
  ledger::Ledger ledger_;
  bus::Publisher publisher_;
  WedgeClock wedge_clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closing_ = false, beat_asked_ = false, gone_ = false;
  bool redis_answers_ = true;
  std::thread thread_;
};

}  // namespace waggle::worker

// A whole pool in one process for measurements: a real Redis, a queen, real workers over a renderer that only
// looks at the clock, and one clock for all of them, so that times of different parts can be subtracted.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "consumer/bus/bus.h"
#include "consumer/program/stop_signal.h"
#include "consumer/queen/queen.h"
#include "consumer/worker/renderer.h"
#include "consumer/worker/worker.h"
#include "tests/ledger/redis_server.h"

namespace waggle::bench {

using Clock = std::chrono::steady_clock;

/// When the work on each job began and ended; jobs are known by the number that is their prompt.
struct Stopwatch {
  explicit Stopwatch(int jobs) : began(static_cast<std::size_t>(jobs)), ended(began.size()) {}
  std::vector<Clock::time_point> began, ended;
  std::atomic<int> begun{0}, done{0};
};

/// What a job's rendering comes to.
struct Work {
  std::chrono::microseconds lasts{0};
  int progress = 0;             ///< events
  std::size_t image_bytes = 0;  ///< 0: no image
};

JobRequest numbered_job(int number);

/// Takes one job after the other, looks at the clock, and makes no pictures.
class ClockRenderer final : public worker::Renderer {
 public:
  ClockRenderer(Stopwatch& stopwatch, Work work);
  ~ClockRenderer() override;

  [[nodiscard]] worker::Description describe() const override;
  Status load(const std::string& model) override;
  void unload(const std::string& model) override;
  pipeline::Ticket render(pipeline::RenderJob job) override;
  void cancel(pipeline::Ticket ticket) override;
  [[nodiscard]] pipeline::EngineStats stats() const override;

 private:
  void run();
  void work_on(const pipeline::RenderJob& job);

  Stopwatch& stopwatch_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<pipeline::RenderJob> jobs_;
  bool closing_ = false;
  std::thread thread_;
};

/// A queen on a thread of its own.
class RunningQueen {
 public:
  explicit RunningQueen(const ledger::Options& redis);
  ~RunningQueen();
  [[nodiscard]] bus::Endpoints endpoints() const { return queen_.endpoints(); }

 private:
  std::atomic<bool> stopping_{false};
  queen::Queen queen_;
  std::thread thread_;
};

/// A worker on a thread of its own; leaves at once when it ends.
class RunningWorker {
 public:
  RunningWorker(const ledger::Options& redis, const bus::Endpoints& queen, Stopwatch& stopwatch, Work work);
  ~RunningWorker();

 private:
  program::StopSignal stop_;
  worker::Worker worker_;
  std::thread thread_;
};

}  // namespace waggle::bench

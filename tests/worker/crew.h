// A worker for one test, on a thread of its own, in a hive; and a renderer whose every move the test decides.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "consumer/program/stop_signal.h"
#include "consumer/worker/null_renderer.h"
#include "consumer/worker/worker.h"
#include "tests/queen/hive.h"

namespace waggle::testing {

/// Holds the jobs it is given until the test says what becomes of them.
class PuppetRenderer final : public worker::Renderer {
 public:
  std::function<Status(const std::string&)> on_load = [](const std::string&) { return Done{}; };
  /// Called with each job and its number; may throw.
  std::function<void(const pipeline::RenderJob&, int)> on_render = [](const pipeline::RenderJob&, int) {};

  [[nodiscard]] worker::Description describe() const override {
    return {"cpu", "puppet", "fp32", {{"null", "null", {"alias"}, true, 0}}, {}, {}};
  }
  Status load(const std::string& model) override { return on_load(model); }
  void unload(const std::string&) override {}
  pipeline::Ticket render(pipeline::RenderJob job) override {
    const int number = ++calls_;
    on_render(job, number);
    {
      const std::lock_guard lock(mutex_);
      jobs_.emplace(static_cast<pipeline::Ticket>(number), std::move(job));
    }
    rendered = number;
    return static_cast<pipeline::Ticket>(number);
  }
  void cancel(pipeline::Ticket ticket) override {
    ++cancelled;
    if (!hangs) end(ticket, Error{ErrorCode::cancelled, "cancelled"});
  }
  [[nodiscard]] pipeline::EngineStats stats() const override {
    const std::lock_guard lock(mutex_);
    pipeline::EngineStats stats;
    stats.jobs_running = static_cast<std::int64_t>(jobs_.size());
    stats.unet_calls = 1;
    stats.step_median_s = 0.001;
    return stats;
  }
  /// Ends the job, if it is here.
  void end(pipeline::Ticket ticket, Result<pipeline::RenderSummary> result) {
    pipeline::RenderJob job;
    {
      const std::lock_guard lock(mutex_);
      const auto found = jobs_.find(ticket);
      if (found == jobs_.end()) return;
      job = std::move(found->second);
      jobs_.erase(found);
    }
    job.callbacks.end(std::move(result));
  }

  std::atomic<int> rendered{
      0};  ///< the number of the last job that is here, after all that came of its arrival
  std::atomic<int> cancelled{0};
  std::atomic<bool> hangs{false};  ///< a cancel is not heard

 private:
  mutable std::mutex mutex_;
  std::map<pipeline::Ticket, pipeline::RenderJob> jobs_;
  int calls_ = 0;  ///< of the one thread that starts jobs
};

inline worker::Settings worker_settings(const Hive& hive, std::string id) {
  worker::Settings settings;
  settings.id = WorkerId(std::move(id));
  settings.version = "test";
  settings.queens = {hive.endpoints()};
  settings.redis = hive.queen_options().redis;
  settings.policy = hive.queen_options().policy;
  settings.idle_poll = std::chrono::milliseconds(20);
  settings.heartbeat = std::chrono::milliseconds(50);
  return settings;
}

class Crew {
 public:
  Crew(worker::Settings settings, std::unique_ptr<worker::Renderer> renderer)
      : worker_(std::make_unique<worker::Worker>(std::move(settings), std::move(renderer),
                                                 [this] { wedged = true; })),
        thread_([this] {
          worker_->run(stop_);
          left = true;
        }) {}
  Crew(Hive& hive, std::string id, std::chrono::microseconds step)
      : Crew(worker_settings(hive, std::move(id)),
             std::make_unique<worker::NullRenderer>(worker::NullRendererOptions{step})) {}
  ~Crew() {
    // Twice: nobody waits for what is still in hand.
    stop_.request();
    stop_.request();
    thread_.join();
  }
  void ask_to_stop() { stop_.request(); }
  [[nodiscard]] WorkerInfo info() const { return worker_->info(); }

  std::atomic<bool> wedged{false}, left{false};

 private:
  program::StopSignal stop_;
  std::unique_ptr<worker::Worker> worker_;
  std::thread thread_;
};

}  // namespace waggle::testing

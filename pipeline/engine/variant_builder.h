// The thread that builds models with LoRAs, so that neither the callers nor the running batch wait for them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "pipeline/engine/job.h"

namespace waggle::pipeline {

class VariantBuilder {
 public:
  using JobPointer = std::shared_ptr<EngineJob>;

  /// `build` sets the job's model or refusal on this thread; `deliver` takes every job that was posted, once,
  /// in order but for cancelled ones. Neither throws.
  VariantBuilder(std::function<void(EngineJob&)> build, std::function<void(JobPointer)> deliver);
  /// Waits for the model in hand and delivers the other jobs as they are.
  ~VariantBuilder();
  VariantBuilder(const VariantBuilder&) = delete;
  VariantBuilder& operator=(const VariantBuilder&) = delete;

  void post(JobPointer job);
  /// Delivers the cancelled jobs among those that wait.
  void release_cancelled();

 private:
  void run();

  std::function<void(EngineJob&)> build_;
  std::function<void(JobPointer)> deliver_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<JobPointer> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace waggle::pipeline

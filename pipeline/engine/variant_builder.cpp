// The building thread.
#include "pipeline/engine/variant_builder.h"

#include <algorithm>
#include <vector>

namespace waggle::pipeline {

VariantBuilder::VariantBuilder(std::function<void(EngineJob&)> build, std::function<void(JobPointer)> deliver)
    : build_(std::move(build)), deliver_(std::move(deliver)), thread_([this] { run(); }) {}

VariantBuilder::~VariantBuilder() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void VariantBuilder::post(JobPointer job) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(job));
  }
  changed_.notify_all();
}

void VariantBuilder::release_cancelled() {
  std::vector<JobPointer> released;
  {
    const std::lock_guard lock(mutex_);
    std::ranges::copy_if(waiting_, std::back_inserter(released),
                         [](const auto& job) { return job->cancelled.load(); });
    std::erase_if(waiting_,
                  [&](const auto& job) { return std::ranges::find(released, job) != released.end(); });
  }
  for (auto& job : released) deliver_(std::move(job));
}

void VariantBuilder::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    JobPointer job = std::move(waiting_.front());
    waiting_.pop_front();
    const bool wanted = !stopping_ && !job->cancelled;
    lock.unlock();
    if (wanted) build_(*job);
    deliver_(std::move(job));
    lock.lock();
  }
}

}  // namespace waggle::pipeline

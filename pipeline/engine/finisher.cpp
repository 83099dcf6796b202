// The finishing thread.
#include "pipeline/engine/finisher.h"

namespace waggle::pipeline {

Finisher::Finisher() : thread_([this] { run(); }) {}

Finisher::~Finisher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Finisher::post(std::function<void()> task) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < kMaxWaiting; });
  waiting_.push_back(std::move(task));
  lock.unlock();
  changed_.notify_all();
}

void Finisher::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    auto task = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    changed_.notify_all();
    task();
    task = nullptr;  // what it holds is let go before the lock is taken again
    lock.lock();
  }
}

}  // namespace waggle::pipeline

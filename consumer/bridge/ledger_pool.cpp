// The pool's threads and their queue.
#include "consumer/bridge/ledger_pool.h"

namespace waggle::bridge {

LedgerPool::LedgerPool(const ledger::Options& options, int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this, options] { work(options); });
}

LedgerPool::~LedgerPool() { stop(); }

void LedgerPool::enqueue(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && tasks_.size() < kMaxWaiting) {
      tasks_.push_back(std::move(task));
      arrived_.notify_one();
      return;
    }
  }
  task(nullptr);
}

void LedgerPool::work(const ledger::Options& options) {
  ledger::Ledger ledger(options);
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task(&ledger);
  }
}

void LedgerPool::stop() {
  std::deque<Task> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(tasks_);
  }
  arrived_.notify_all();
  for (Task& task : left) task(nullptr);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace waggle::bridge

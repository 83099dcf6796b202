// Blocking calls off the event loop: a few threads, each with its own Ledger. A coroutine hands over a
// function and goes on, on its own executor, with what the function returned.
//
// Also where heavy work without Redis is done (parsing a large body). At most `kMaxWaiting` calls wait; more
// are answered `unavailable` at once, because a queue that only grows helps nobody.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "consumer/bridge/asio.h"
#include "consumer/ledger/ledger.h"

namespace waggle::bridge {

class LedgerPool {
 public:
  LedgerPool(const ledger::Options& options, int threads);
  ~LedgerPool();
  LedgerPool(const LedgerPool&) = delete;
  LedgerPool& operator=(const LedgerPool&) = delete;

  /// GCC 12 destroys a lambda with captures twice when it is a temporary of a co_await expression: pass a
  /// named one. Runs `work(Ledger&)`, which returns a Result, on some thread of the pool. An exception of it
  /// is an `internal` error.
  template <class Work>
  asio::awaitable<std::invoke_result_t<Work, ledger::Ledger&>> call(Work work);

  /// Answers what still waits with `unavailable` and ends the threads. What runs now is waited for.
  void stop();

 private:
  static constexpr std::size_t kMaxWaiting = 10'000;
  /// Called once: with a Ledger, or with null when the pool is stopping or too busy.
  using Task = std::function<void(ledger::Ledger*)>;
  void enqueue(Task task);
  void work(const ledger::Options& options);

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

template <class Work>
asio::awaitable<std::invoke_result_t<Work, ledger::Ledger&>> LedgerPool::call(Work work) {
  using R = std::invoke_result_t<Work, ledger::Ledger&>;
  const auto start = [this](auto handler, Work job) {
    auto executor = asio::get_associated_executor(handler);
    // std::function copies its target, a completion handler cannot be copied.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto shared_job = std::make_shared<Work>(std::move(job));
    auto busy = asio::make_work_guard(executor);
    enqueue([shared, shared_job, executor, busy](ledger::Ledger* ledger) mutable {
      R result = Error{ErrorCode::unavailable, "the bridge is too busy"};
      if (ledger != nullptr) {
        try {
          result = (*shared_job)(*ledger);
        } catch (...) {
          result = Error{ErrorCode::internal, "the bridge failed on this request"};
        }
      }
      asio::post(executor, [shared = std::move(shared), value = std::move(result)]() mutable {
        (*shared)(std::move(value));
      });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(R)>(start, asio::use_awaitable,
                                                                                  std::move(work));
}

}  // namespace waggle::bridge

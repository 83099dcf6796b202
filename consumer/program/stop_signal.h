// SIGINT and SIGTERM as something to wait for: a descriptor for poll() and a count, because the second one
// means "now".
//
// Make one before any thread is started: it blocks both signals for the whole process and takes them on a
// thread of its own, so that no system call anywhere returns EINTR because of them.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace waggle::program {

class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// Signals so far.
  [[nodiscard]] int count() const noexcept { return count_.load(); }
  /// Readable from the first signal on. Do not read from it.
  [[nodiscard]] int descriptor() const noexcept { return read_end_; }
  /// Waits for the first signal; true when it has come.
  bool wait(std::chrono::milliseconds timeout) const;
  /// As if a signal had come; from any thread.
  void request();

 private:
  void take_signals();

  std::atomic<int> count_{0};
  std::atomic<bool> closing_{false};
  int read_end_ = -1, write_end_ = -1;
  std::thread taker_;
};

/// For the child between fork and exec: a blocked signal stays blocked in the new program otherwise.
void unblock_stop_signals() noexcept;

}  // namespace waggle::program

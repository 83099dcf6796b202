// The thread that turns finished pixels into files and tells their owners, while the device goes on with the
// next step.
//
// One queue in order: a job's images come before its end.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace waggle::pipeline {

class Finisher {
 public:
  Finisher();
  /// Runs what is queued, then stops.
  ~Finisher();
  Finisher(const Finisher&) = delete;
  Finisher& operator=(const Finisher&) = delete;

  /// `task` must not throw. Waits while `kMaxWaiting` tasks wait, so that pictures do not pile up in memory.
  void post(std::function<void()> task);

 private:
  static constexpr std::size_t kMaxWaiting = 16;
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace waggle::pipeline

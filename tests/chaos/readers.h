// Those who follow jobs: by HTTP, dropping their connections and coming back where they were, and one on the
// bus.
//
// They note what they are told and judge nothing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "consumer/bus/bus.h"
#include "tests/chaos/history.h"

namespace waggle::chaos {

/// A few threads that read one job's server-sent events each, to the end of the job.
class StreamReaders {
 public:
  StreamReaders(int bridge_port, int threads);
  ~StreamReaders();

  void follow(const PlannedJob& job, const JobId& id);
  /// Streams that have not ended yet.
  [[nodiscard]] std::size_t waiting() const;
  /// Ends the threads; what was told, by the job's number.
  std::map<int, Told> finish();

 private:
  struct Task {
    int number = 0, hang_up_every = 0;
    JobId id;
  };
  void run();
  void read(const Task& task, Told& told);
  /// One connection; true when the stream has come to its end.
  bool read_once(const Task& task, Told& told) const;

  const int port_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::size_t busy_ = 0;
  std::map<int, Told> told_;
  std::atomic<bool> closing_{false};
  std::vector<std::thread> threads_;
};

/// Everything on `events/` of every queen.
class BusReader {
 public:
  BusReader(bus::Context& context, std::vector<bus::Endpoints> queens);
  ~BusReader();
  /// Ends the thread; what was told, by job.
  std::map<JobId, std::vector<SeenEvent>> finish();

 private:
  void run(const std::vector<bus::Endpoints>& queens);

  bus::Context& context_;
  std::map<JobId, std::vector<SeenEvent>> told_;
  std::atomic<bool> closing_{false};
  std::thread thread_;
};

}  // namespace waggle::chaos

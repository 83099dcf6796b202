// Brings claimed jobs to the renderer: fetches their pictures, loads their model, hands them over. On a
// thread of its own, because loading a model takes seconds in which the worker must still hear a cancel.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <variant>

#include "consumer/ledger/ledger.h"
#include "consumer/worker/assignment.h"
#include "consumer/worker/reporter.h"
#include "consumer/worker/settings.h"

namespace waggle::worker {

class Starter {
 public:
  /// `rendered` is called, on a thread of the renderer, when one of the jobs has been rendered well.
  Starter(const Settings& settings, Renderer& renderer, Assignments& in_hand, Reporter& reporter,
          std::function<void()> rendered);
  ~Starter();

  /// Ends its thread; forgets what it has not begun. Its callbacks stay good until it is destroyed.
  void close();

  /// On the caller's thread when there is nothing to wait for: the model is loaded, and no picture is to be
  /// fetched.
  void start(AssignmentPtr assignment);
  void load(std::string model);
  void unload(std::string model);

  /// Callbacks of the renderer so far: its signs of life.
  [[nodiscard]] std::uint64_t signs() const { return signs_.load(); }

 private:
  struct Load {
    std::string model;
  };
  struct Unload {
    std::string model;
  };
  using Task = std::variant<AssignmentPtr, Load, Unload>;

  void push(Task task);
  bool may_start_here(const Assignment& assignment);
  void run();
  void handle(Task& task) noexcept;
  Status hand_over(const AssignmentPtr& assignment);
  Status load_now(const std::string& model);
  void unload_now(const std::string& model);
  Status fetch_pictures(const Assignment& assignment, JobRequest& request);
  Status fetch(const Assignment& assignment, PictureInput& picture);

  Renderer& renderer_;
  Assignments& in_hand_;
  Reporter& reporter_;
  const std::function<void()> rendered_;
  ledger::Ledger ledger_;
  std::atomic<std::uint64_t> signs_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::set<std::string, std::less<>> warm_;  ///< models that load() has brought into memory
  bool closing_ = false, working_ = false;
  std::thread thread_;
};

}  // namespace waggle::worker

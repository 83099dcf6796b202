// What the end-to-end tests do to a machine: start programs and wait for them, run a whole pool, look whether
// a process is alive. Waits for conditions with a deadline; never sleeps for a guess.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "consumer/cli/child_process.h"
#include "consumer/cli/hive.h"
#include "schemas/event.h"
#include "schemas/job.h"

namespace waggle::e2e {

using namespace std::chrono_literals;

struct Run {
  int exit_status = -1;  ///< -1: ended by a signal
  std::string output;    ///< both streams
};

/// A program of the project by its name, run to its end. Fails the test when it does not end in time.
Run run(const std::string& program, std::vector<std::string> arguments, std::chrono::seconds within = 60s);

/// Between two looks at a condition.
void poll_pause();

/// Waits until the condition holds; false when it does not within the time.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds within = 30s) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    poll_pause();
  }
  return true;
}

/// Whether the process runs; a zombie does not.
bool is_alive(int pid);

/// `waggle up` and what it says of itself.
class Pool {
 public:
  /// Starts it with these flags and waits until it is ready.
  explicit Pool(std::vector<std::string> flags);
  /// Stops it without waiting for its jobs: the second signal means "now".
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// `waggle COMMAND ...` told where this pool is.
  Run waggle(std::vector<std::string> arguments);
  /// The arguments that it is started with.
  [[nodiscard]] std::vector<std::string> told(std::vector<std::string> arguments) const;
  /// Submits and returns the id; the flags follow the prompt.
  JobId submit(const std::string& model, std::vector<std::string> flags);
  JobStatus status(const JobId& job);
  std::vector<Event> events(const JobId& job);
  /// Waits until the job has done so many steps of its attempt.
  void wait_for_step(const JobId& job, int step, int attempt = 1);
  /// Waits for the end state.
  JobStatus wait_for_end(const JobId& job);

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int pid(const std::string& part) const { return pids_.at(part); }
  [[nodiscard]] std::vector<int> all_pids() const;
  [[nodiscard]] const std::filesystem::path& data() const { return data_; }
  [[nodiscard]] cli::ChildProcess& process() { return *process_; }

 private:
  std::unique_ptr<cli::ChildProcess> process_;
  std::string connect_, redis_url_, log_;
  std::filesystem::path data_;
  int port_ = 0;
  std::map<std::string, int> pids_;
  std::unique_ptr<cli::Hive> hive_;
};

/// Flags that make a pool whose worker makes no pictures and takes this long for a step; its model is called
/// "null".
std::vector<std::string> null_pool(const std::string& step);
/// Adds a short lease, for tests that kill the worker. Not shorter: on a busy machine a live worker would
/// lose its lease too.
std::vector<std::string> with_short_lease(std::vector<std::string> flags);
/// Flags that make a pool with the small model of the golden tests, called "sd15", in fp32 on one thread.
std::vector<std::string> model_pool();

/// How often an event of this kind is in the log.
template <class Body>
long count(const std::vector<Event>& events) {
  long found = 0;
  for (const Event& event : events) found += std::holds_alternative<Body>(event.body) ? 1 : 0;
  return found;
}

}  // namespace waggle::e2e

// One child process: its output through a pipe, its end as a value, its death when ours comes without
// warning. Knows nothing of what it runs.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "schemas/result.h"

namespace waggle::cli {

/// How a process ended.
struct ChildEnd {
  int exit_status = 0;  ///< when `signal` is 0
  int signal = 0;
  [[nodiscard]] std::string text() const;  ///< "ended with exit code 2", "was killed by signal 9 (Killed)"
};

class ChildProcess {
 public:
  /// Starts arguments[0] (looked up in PATH when it holds no '/') in a process group of its own, so that a
  /// Ctrl-C on the terminal reaches the parent alone, with standard input from /dev/null and both outputs in
  /// one pipe. On Linux the kernel kills the child when the calling *thread* ends: call from the main thread.
  /// Errors: unavailable, when it cannot be started.
  static Result<ChildProcess> start(const std::vector<std::string>& arguments);

  /// Kills and reaps what still runs.
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The read end of the child's output, non-blocking; -1 once the child has closed it.
  [[nodiscard]] int output() const { return output_; }
  /// Complete lines of output that have come; with `rest` also an unfinished last one. Reads until empty.
  std::vector<std::string> lines(bool rest = false);

  /// Nothing while it runs.
  std::optional<ChildEnd> poll();
  /// Waits at most so long for the end.
  std::optional<ChildEnd> wait(std::chrono::milliseconds timeout);
  /// To the child's whole process group; nothing when it has ended.
  void send_signal(int signal);

 private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}
  void finish() noexcept;

  pid_t pid_ = -1;
  int output_ = -1;
  std::string unfinished_;
  std::optional<ChildEnd> end_;
};

}  // namespace waggle::cli

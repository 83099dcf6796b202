// Keeps a row of services running: starts them in order, each ready before the next, restarts what dies,
// stops them in reverse. Knows processes; what they are and when they are ready is said by its caller.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "consumer/cli/child_process.h"
#include "schemas/result.h"

namespace waggle::cli {

/// How long to wait before a service is started again: doubled each time, forgotten after a good while.
class Backoff {
 public:
  using Milliseconds = std::chrono::milliseconds;
  /// The wait after a life of this length.
  Milliseconds after(Milliseconds lived);

 private:
  static constexpr Milliseconds kFirst{250}, kMost{30'000}, kGoodWhile{60'000};
  Milliseconds next_ = kFirst;
};

struct Service {
  std::string name;                    ///< before each line of its output
  std::vector<std::string> arguments;  ///< [0] is the program
  std::function<bool()> ready;         ///< asked again and again; must return soon
  std::chrono::milliseconds ready_within{30'000};
  std::chrono::milliseconds stop_within{10'000};  ///< from SIGTERM to SIGKILL
};

class Supervisor {
 public:
  /// `print` takes one line of a service. `stop_requests` is asked often: the first request ends start() and
  /// run(), the second one makes stop() kill at once.
  Supervisor(std::function<void(std::string_view service, std::string_view line)> print,
             std::function<int()> stop_requests);
  /// Stops everything.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Returns when the service is ready. Errors: unavailable, with what it last said; cancelled by a stop
  /// request.
  Status start(Service service);
  /// Watches and restarts until a stop request.
  void run();
  /// In reverse order of their start, SIGTERM first.
  void stop();

  /// Name and process of each service that runs now, in order of start.
  [[nodiscard]] std::vector<std::pair<std::string, int>> pids() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    Service service;
    std::optional<ChildProcess> process;
    Clock::time_point started_at{}, restart_at{};
    Backoff backoff;
    std::deque<std::string> last_lines;  ///< for the error when it does not come up
  };

  /// Waits for output, at most so long, and passes it on.
  void pump(std::chrono::milliseconds timeout);
  void pass_on(Running& running, bool rest);
  void restart_what_died();
  [[nodiscard]] Error not_ready(const Running& running, const std::string& why) const;

  std::function<void(std::string_view, std::string_view)> print_;
  std::function<int()> stop_requests_;
  std::deque<Running> running_;
};

}  // namespace waggle::cli

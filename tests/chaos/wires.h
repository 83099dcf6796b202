// Connections that can be cut: each wire listens where a client believes its server to be, and carries bytes
// both ways.
//
// Knows nothing of what it carries. One thread for all wires; cutting and hanging are asked for from another
// one.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace waggle::chaos {

/// Where a socket is: a path of a Unix socket, or a port of loopback.
struct Place {
  std::string path;  ///< empty: the port
  int port = 0;
};

class Wires {
 public:
  Wires();
  ~Wires();
  Wires(const Wires&) = delete;
  Wires& operator=(const Wires&) = delete;

  /// Lays a wire from `front` (port 0: a free one) to `back`. Answers the front as it is.
  Place lay(Place front, Place back);
  [[nodiscard]] int count() const;

  /// Closes every connection of the wire now: both ends notice.
  void cut(int wire);
  /// For this long the wire carries nothing and says nothing, as a cable that was pulled; then its
  /// connections are closed. New ones are taken and hang too.
  void hang(int wire, std::chrono::milliseconds time);

 private:
  using Clock = std::chrono::steady_clock;
  struct Line {
    int client = -1, server = -1;
    std::string to_server, to_client;  ///< read and not yet written
  };
  struct Wire {
    Place back;
    int listener = -1;
    std::list<Line> lines;
    Clock::time_point hangs_until{};
  };
  void run();
  void take(Wire& wire);
  static void close_lines(Wire& wire);
  /// Moves what can be moved; false when an end has closed.
  static bool carry(Line& line, short client_events, short server_events);

  mutable std::mutex mutex_;
  std::vector<Wire> wires_;
  int wake_[2] = {-1, -1};
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace waggle::chaos

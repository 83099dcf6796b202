// A real redis-server for one test: its own temporary directory and a free port, with the redis.conf that is
// shipped.
//
// It ends with the object, and with the process when the test dies. Not a mock: what it does, production
// does.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "consumer/ledger/ledger.h"

namespace waggle::testing {

/// What the server on this port answers to one command: the text of a bulk reply, or the line of any other.
/// Empty when it does not answer. With a login, "<user> <password>", that comes first.
std::string redis_answer(int port, const std::string& command, const std::string& login = {});

/// A port of loopback that nobody uses at this moment.
int free_port();

class RedisServer {
 public:
  /// Starts and answers PING, or throws std::runtime_error. `appendfsync`: "always" (as shipped), "everysec"
  /// or "no". `more` are further words of the command line.
  explicit RedisServer(std::string appendfsync = "always", std::vector<std::string> more = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string url() const;  ///< "redis://127.0.0.1:<port>"
  [[nodiscard]] ledger::Options options() const;

  void kill9();    ///< SIGKILL; the append-only file stays
  void restart();  ///< stops if need be and starts again on the same port and the same file
  void pause();    ///< SIGSTOP: connections stay open, nothing is answered
  void resume();   ///< SIGCONT

 private:
  bool start();
  void stop(int signal);

  std::string directory_, appendfsync_;
  std::vector<std::string> more_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace waggle::testing

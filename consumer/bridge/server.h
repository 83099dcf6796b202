// The bridge: one event loop that accepts, serves and streams; a pool for Redis; one thread on the bus.
#pragma once

#include <memory>
#include <string>

#include "consumer/bridge/settings.h"

namespace waggle::bridge {

class Server {
 public:
  /// Binds; throws std::runtime_error naming the address when that fails. Needs neither Redis nor a queen to
  /// start.
  explicit Server(Settings settings);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] int port() const;         ///< the real one
  [[nodiscard]] std::string url() const;  ///< "http://127.0.0.1:8080"

  /// Serves until stopped: streams end, requests in hand are answered, then everything is closed.
  void run();
  /// From any thread.
  void stop();
  /// Stops when this descriptor becomes readable. Does not read or close it.
  void stop_when_readable(int descriptor);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether only this machine can reach the host: a loopback address or "localhost".
bool is_loopback(const std::string& host);

}  // namespace waggle::bridge

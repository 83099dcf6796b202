// One client's connection: reads requests, asks the routes, writes answers or a stream of events. Boost.Beast
// is seen in connection.cpp alone.
#pragma once

#include <cstddef>
#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "consumer/bridge/routes.h"

namespace waggle::bridge {

/// What all connections of a server share. Lives on the event loop's thread.
struct ConnectionLimits {
  std::size_t open_streams = 0;
  std::size_t body_bytes = 0;  ///< of bodies that are being read or handled
  bool draining = false;       ///< the server stops: no second request on a connection
};

/// Memory that a body may take, given back when it has been handled.
struct BodyBudget {
  BodyBudget(ConnectionLimits& of, std::size_t bytes) : limits(of), size(bytes) { limits.body_bytes += size; }
  ~BodyBudget() { limits.body_bytes -= size; }
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;
  ConnectionLimits& limits;
  std::size_t size;
};

class Connection {
 public:
  virtual ~Connection() = default;
  /// Until the client leaves, breaks the rules or is too slow.
  virtual asio::awaitable<void> run() = 0;
  /// Closes unless a request is being answered.
  virtual void close_if_idle() = 0;
  virtual void close() = 0;
};

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, Services& services,
                                            ConnectionLimits& limits);

}  // namespace waggle::bridge

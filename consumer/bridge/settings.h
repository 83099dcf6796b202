// Everything an operator may set on a bridge, with its defaults. Read from flags in main.cpp and by tests
// directly.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "consumer/bus/bus.h"
#include "consumer/ledger/ledger.h"
#include "schemas/limits.h"

namespace waggle::bridge {

/// A bearer token. With a tenant, every job that comes with it is that tenant's.
struct Token {
  std::string secret, tenant{};
};

struct Settings {
  std::string host = "127.0.0.1";
  int port = 8080;                                                  ///< 0: any free one
  std::vector<std::string> requests = {bus::Endpoints{}.requests};  ///< of the queens
  std::vector<std::string> events = {bus::Endpoints{}.publish};
  std::optional<bus::Security> security;
  ledger::Options redis;
  std::vector<Token> tokens;  ///< empty: everybody is let in
  std::string cors_origin;    ///< "" none, "*" any, else the one origin
  double rate_limit = 0;      ///< POST and DELETE requests a second of one client; 0: any
  double rate_burst = 1;      ///< at once
  bool behind_proxy = false;  ///< a client's address is the last one in X-Forwarded-For

  std::size_t max_body_bytes = limits::kMaxBodyBytes;
  std::size_t max_header_bytes = 16 * 1024;
  std::size_t max_connections = 4096;
  std::size_t max_streams = 4000;
  std::size_t max_jobs_per_stream = 64;
  int pool_threads = 3;  ///< for blocking calls

  std::chrono::milliseconds header_timeout{
      15'000};  ///< from the first byte of a request to the end of its header
  std::chrono::milliseconds body_timeout{120'000};  ///< for a whole body
  std::chrono::milliseconds idle_timeout{75'000};   ///< a kept-alive connection without a request
  std::chrono::milliseconds write_timeout{60'000};  ///< a response or event that nobody reads
  std::chrono::milliseconds queen_timeout{5'000};   ///< an answer of the queen
  std::chrono::milliseconds heartbeat{15'000};      ///< comment lines on a silent stream
  std::chrono::milliseconds max_lag{5'000};         ///< a slow reader goes without progress older than this
  std::chrono::milliseconds poll_running{1'000};    ///< look at the log of a running job that is silent
  std::chrono::milliseconds poll_queued{5'000};     ///< the same for one that waits
};

}  // namespace waggle::bridge

// What an operator may set on a queen, and the check that a queen without keys stays on this machine.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "consumer/bus/bus.h"
#include "consumer/ledger/ledger.h"
#include "consumer/program/key_files.h"
#include "schemas/result.h"

namespace CLI {
class App;
}

namespace waggle::queen {

struct Options {
  bus::Endpoints listen;
  std::optional<bus::Security> security;
  ledger::Options redis;
  ledger::Policy policy;
  bool allow_unknown_models = false;
  std::chrono::milliseconds reap_every{500};
  std::chrono::milliseconds missed_after{1000};  ///< a worker whose connections to Redis are closed is gone
  double rate_limit = 0;       ///< requests a second of one client, each job one; 0: no limit
  double rate_burst = 0;       ///< at once
  std::string name = "queen";  ///< in stats and metrics; the same after a restart
};

/// The flags as they are typed; read() turns them into Options.
struct Flags {
  bus::Endpoints listen;
  std::string redis_url = "redis://127.0.0.1:6379";
  std::string redis_prefix = "waggle:";
  double lease_s = 15;
  std::int64_t max_queued = 100'000, max_queued_bytes = 1LL << 30, max_image_bytes = 0;
  double keep_jobs_h = 24, keep_images_h = 0;
  double rate_limit = 0, rate_burst = 0;
  bool allow_unknown_models = false;
  bool insecure_bind = false;
  program::KeyFiles keys;
};
void add_flags(CLI::App& app, Flags& flags);

/// Errors: invalid_request and io_error, in one line that names the flag or file.
Result<Options> read(const Flags& flags);

/// Whether only this machine can reach the endpoint: "tcp://127.0.0.1:1", "tcp://[::1]:1",
/// "tcp://localhost:1", "ipc://...".
bool is_loopback(std::string_view endpoint) noexcept;

}  // namespace waggle::queen

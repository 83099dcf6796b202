// A queen: admits jobs, publishes them, watches leases. Holds no state that is not in Redis, so that several
// may run at once and any may be killed at any time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "consumer/bus/bus.h"
#include "consumer/program/rate_limiter.h"
#include "consumer/queen/announcer.h"
#include "consumer/queen/commands.h"
#include "consumer/queen/options.h"
#include "consumer/queen/pool.h"
#include "consumer/queen/reaper.h"

namespace waggle::queen {

class Queen {
 public:
  /// Binds its sockets and starts the proxy and the reaper. Throws std::runtime_error naming the endpoint.
  explicit Queen(Options options);

  /// As bound, with the real ports.
  [[nodiscard]] bus::Endpoints endpoints() const;

  /// Answers requests until `stop` says so; looks at it ten times a second.
  void run(const std::function<bool()>& stop);

  /// The reply to one message, or nothing when it does not even say which request it is. Never throws: the
  /// one boundary between requests and the loop. `sender`: on whose account; empty: on nobody's.
  [[nodiscard]] std::string answer_message(std::string_view payload, std::string_view sender = {}) noexcept;

 private:
  /// Seconds that this client has to wait; nothing when it may ask now. That it does not take other clients'
  /// turns is the socket's doing, which serves its peers in rotation.
  std::optional<double> refusal(std::string_view sender);

  Options options_;
  bus::Context context_;
  bus::EventProxy proxy_;
  bus::RequestServer server_;
  Announcer announcer_;
  ledger::Ledger ledger_;
  Pool pool_;
  Desk desk_;
  program::RateLimiter limiter_;
  Reaper reaper_;
};

}  // namespace waggle::queen

// The requests that a queen answers: one row and one function each. The functions hold no state; everything
// they touch is on the desk.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "consumer/ledger/ledger.h"
#include "consumer/queen/announcer.h"
#include "consumer/queen/options.h"
#include "consumer/queen/pool.h"
#include "schemas/message.h"

namespace waggle::queen {

struct Desk {
  const Options& options;
  ledger::Ledger& ledger;
  Announcer& announcer;
  Pool& pool;
  std::chrono::steady_clock::time_point started_at;
  std::uint64_t malformed = 0;   ///< messages that could not be decoded
  std::uint64_t bad_frames = 0;  ///< messages that were not even one frame of bearable size
  std::uint64_t malformed_events = 0, malformed_subscriptions = 0;  ///< of the proxy
  std::uint64_t rate_limited = 0;                                   ///< requests refused for their number
};

struct Command {
  std::string_view name;  ///< the `type` on the wire
  ReplyBody (*answer)(Desk& desk, const RequestBody& body);
};

/// In the order of RequestBody's alternatives.
std::span<const Command> commands();

/// Runs the body's command.
ReplyBody answer(Desk& desk, const RequestBody& body);

}  // namespace waggle::queen

// One reader's server-sent events: from its position through the ledger's log into the live channel, to the
// end.
//
// Knows no socket: it writes to a sink that the connection provides.
#pragma once

#include <string>
#include <string_view>

#include "consumer/bridge/asio.h"
#include "consumer/bridge/http.h"
#include "consumer/bridge/settings.h"
#include "consumer/bridge/stream_hub.h"
#include "schemas/result.h"

namespace waggle::bridge {

class StreamSink {
 public:
  virtual ~StreamSink() = default;
  /// Writes the three pieces as one; they live until it returns. False when the reader is gone or reads
  /// nothing.
  virtual asio::awaitable<bool> write(std::string_view before, std::string_view payload,
                                      std::string_view after) = 0;
  [[nodiscard]] virtual bool closed() const = 0;
};

/// Streams until the last job's end, the reader's leave or the bridge's stop. `wake` is also set by the
/// sink's owner when the reader has gone. Returns the number of events written.
asio::awaitable<std::size_t> stream_events(const StreamPlan& plan, StreamHub& hub, const Settings& settings,
                                           StreamSink& sink, Wake& wake);

/// The position of a stream over many jobs: one event id per job in the order of the request, "0" for none,
/// with '!' when the job's end has been told; joined by commas.
struct Position {
  EventId seen;
  bool ended = false;
};
std::string to_text(const std::vector<Position>& positions);
/// Errors: invalid_request when it is not `count` positions.
Result<std::vector<Position>> parse_positions(std::string_view text, std::size_t count);

}  // namespace waggle::bridge

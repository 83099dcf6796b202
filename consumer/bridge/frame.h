// One event of a job in the form in which readers get it, made from the ledger's log.
//
// Blocking: read_frames runs on the ledger pool. Writes no sockets; the text of a stream is event_text.h's.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "consumer/ledger/ledger.h"
#include "schemas/event.h"

namespace waggle::bridge {

struct Frame {
  EventId id;
  std::string name;        ///< of the SSE event; empty: nothing but the last line
  std::string data;        ///< JSON, one line
  bool droppable = false;  ///< progress and previews: a reader that lags may go without
  bool running = false;    ///< the job is at work after this event
  std::string last_line;   ///< not empty: the job has ended, and this is the stream's end, e.g. "[DONE]"
  std::string end_state;   ///< with last_line: "completed", "failed", ...

  [[nodiscard]] bool ends() const noexcept { return !last_line.empty(); }
};
using FramePtr = std::shared_ptr<const Frame>;

/// By milliseconds, then sequence, as numbers; an empty id is before all others.
std::strong_ordering compare(const EventId& a, const EventId& b);

/// The milliseconds of an id: when its event was logged, by Redis's clock.
std::int64_t milliseconds_of(const EventId& id);

/// The frame of one event. `first_image` is the encoded image 0 for a completed event, or empty.
Frame to_frame(const Event& event, const std::string& first_image);

struct LogRead {
  std::vector<FramePtr> frames;
  bool more = false;  ///< the page was full
};

/// The log after `after`, at most `limit` events. When the log has no more but the job has ended, one frame
/// without a name says so; a terminal event that others follow (the job was requeued by hand) does not end
/// the stream. Errors: unknown_job, job_expired, unavailable.
Result<LogRead> read_frames(ledger::Ledger& ledger, const JobId& job, const EventId& after, int limit = 32);

}  // namespace waggle::bridge

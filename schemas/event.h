// What happens to a job, one struct per type of event. Appended to the job's event log first, then published
// on `events/<job_id>/`; the log's entry id is the event's number everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "schemas/error.h"
#include "schemas/ids.h"
#include "schemas/job.h"

namespace waggle {

struct QueuedEvent {
  std::int64_t position = 0;  ///< jobs ahead of it
  bool operator==(const QueuedEvent&) const = default;
};
struct StartedEvent {
  WorkerId worker;
  bool operator==(const StartedEvent&) const = default;
};
/// Monotone within an attempt. Steps count model evaluations the user asked for, over all images of the job.
struct ProgressEvent {
  int step = 0, total = 0;
  double percent = 0;  ///< 0..100
  bool operator==(const ProgressEvent&) const = default;
};
struct PreviewEvent {
  int step = 0, total = 0;
  int index = 0;  ///< which image of the job
  OutputFormat format = OutputFormat::jpeg;
  std::string image;  ///< encoded bytes
  bool operator==(const PreviewEvent&) const = default;
};
struct CompletedEvent {
  std::vector<ImageInfo> images;
  std::int64_t seed = 0;
  double render_s = 0;  ///< seconds from claim to end
  bool operator==(const CompletedEvent&) const = default;
};
struct FailedEvent {
  Error error;
  bool operator==(const FailedEvent&) const = default;
};
struct CancelledEvent {
  bool operator==(const CancelledEvent&) const = default;
};
/// The attempt ended, the job is queued again.
struct RetriedEvent {
  Error error;
  int attempts_left = 0;
  double backoff_s = 0;
  bool operator==(const RetriedEvent&) const = default;
};
struct ExpiredEvent {
  bool operator==(const ExpiredEvent&) const = default;
};
struct DeadEvent {
  Error error;
  bool operator==(const DeadEvent&) const = default;
};

using EventBody = std::variant<QueuedEvent, StartedEvent, ProgressEvent, PreviewEvent, CompletedEvent,
                               FailedEvent, CancelledEvent, RetriedEvent, ExpiredEvent, DeadEvent>;

struct Event {
  JobId job;
  EventId id;       ///< empty until the log has numbered it
  int attempt = 0;  ///< 0 for events of the queen
  std::int64_t at_ms = 0;
  EventBody body = QueuedEvent{};
  bool operator==(const Event&) const = default;
};

/// "queued", "started", "progress", ...
std::string_view name(const EventBody& body) noexcept;
/// Whether this event ends the job.
bool is_terminal(const EventBody& body) noexcept;

}  // namespace waggle

// Names of events and which of them end a job.
#include "schemas/event.h"

namespace waggle {

namespace {

struct Name {
  std::string_view operator()(const QueuedEvent&) const { return "queued"; }
  std::string_view operator()(const StartedEvent&) const { return "started"; }
  std::string_view operator()(const ProgressEvent&) const { return "progress"; }
  std::string_view operator()(const PreviewEvent&) const { return "preview"; }
  std::string_view operator()(const CompletedEvent&) const { return "completed"; }
  std::string_view operator()(const FailedEvent&) const { return "failed"; }
  std::string_view operator()(const CancelledEvent&) const { return "cancelled"; }
  std::string_view operator()(const RetriedEvent&) const { return "retried"; }
  std::string_view operator()(const ExpiredEvent&) const { return "expired"; }
  std::string_view operator()(const DeadEvent&) const { return "dead"; }
};

// Spelled out for every type: a new event must say whether it is an end.
struct IsTerminal {
  bool operator()(const QueuedEvent&) const { return false; }
  bool operator()(const StartedEvent&) const { return false; }
  bool operator()(const ProgressEvent&) const { return false; }
  bool operator()(const PreviewEvent&) const { return false; }
  bool operator()(const CompletedEvent&) const { return true; }
  bool operator()(const FailedEvent&) const { return true; }
  bool operator()(const CancelledEvent&) const { return true; }
  bool operator()(const RetriedEvent&) const { return false; }
  bool operator()(const ExpiredEvent&) const { return true; }
  bool operator()(const DeadEvent&) const { return true; }
};

}  // namespace

std::string_view name(const EventBody& body) noexcept { return std::visit(Name{}, body); }

bool is_terminal(const EventBody& body) noexcept { return std::visit(IsTerminal{}, body); }

}  // namespace waggle

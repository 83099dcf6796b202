// What was said and seen during a run, and what the ledger holds after it: the two sides that the checker
// compares. Plain data; written as JSON lines for people by journal.h.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "schemas/event.h"
#include "schemas/job.h"
#include "tests/chaos/plan.h"

namespace waggle::chaos {

/// An event as a reader got it.
struct SeenEvent {
  EventId id;
  std::string name;  ///< SSE's or the bus's word for it
};

/// What a queen answered to a cancel.
enum class CancelAnswer { none, ended, running, already_ended };

/// One job as its client and its readers saw it.
struct Told {
  std::set<JobId> ids;  ///< of every `accepted` that came; one if all is well
  CancelAnswer cancel = CancelAnswer::none;
  std::vector<SeenEvent> stream;  ///< over all connections of its one reader, in order
  std::string last_line;          ///< "[DONE]", "[CANCELLED]", "[ERROR] ..."; empty: the stream never ended
  std::vector<SeenEvent> bus;     ///< from every queen's proxy, so each perhaps several times
};

/// One job as the ledger has it when all is over.
struct Kept {
  std::optional<JobStatus> status;
  std::vector<Event> events;
  std::map<int, std::string> images;  ///< bytes by index
};

}  // namespace waggle::chaos

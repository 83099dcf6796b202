// What happened to a job, told from its event log: its attempts with their times, and lines of a log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consumer/cli/hive.h"
#include "schemas/event.h"

namespace waggle::cli {

struct AttemptStory {
  int number = 0;
  std::string worker;
  std::int64_t started_at_ms = 0;
  std::optional<std::int64_t> ended_at_ms;  ///< absent: it goes on
  int step = 0, total = 0;
  std::string end;  ///< "completed", "retried: worker_lost", ...; empty while it goes on
};

/// In order. A job that was queued again by hand counts its attempts anew, so numbers may come again.
std::vector<AttemptStory> attempts_of(const std::vector<Event>& events);

/// "2026-11-23T13:02:03.123Z"
std::string time_text(std::int64_t at_ms);

/// "2026-11-23T13:02:03.123Z  1  started on gpu-1": time, attempt, what happened.
std::string log_line(const Event& event, bool colour);

/// Whether an event says only how far the job is.
bool is_progress(const EventBody& body);

/// The whole log. Errors: unknown_job, job_expired, unavailable.
Result<std::vector<Event>> read_log(Hive& hive, const JobId& job);

}  // namespace waggle::cli

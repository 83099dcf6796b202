// Follows one job's events without a gap and without a repeat: what is shown comes from the ledger's log,
// topics only say when to look.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>

#include "consumer/cli/hive.h"
#include "schemas/event.h"
#include "schemas/result.h"

namespace waggle::cli {

class Follower {
 public:
  /// Subscribes first and reads the log after, so that nothing falls between the two.
  Follower(Hive& hive, JobId job);

  /// The next event, or nothing after the time. Errors: unknown_job, job_expired, unavailable (call again:
  /// the next call resumes where this one stood).
  Result<std::optional<Event>> next(std::chrono::milliseconds timeout);

 private:
  Status read_log();

  Hive& hive_;
  JobId job_;
  std::unique_ptr<bus::Subscriber> hints_;
  EventId after_;
  std::deque<Event> waiting_;
  std::chrono::steady_clock::time_point read_again_{};  ///< the log is read then, hint or no hint
};

}  // namespace waggle::cli

// The pool at one moment, as the queen tells it: what `waggle top` draws. Draws nothing itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consumer/cli/hive.h"
#include "schemas/job.h"
#include "schemas/message.h"
#include "schemas/worker_info.h"

namespace waggle::cli {

struct ModelDepth {
  std::string model;
  std::int64_t queued = 0, running = 0;
  std::optional<std::int64_t> oldest_at_ms;  ///< submission of the queued job that waits longest
  bool operator==(const ModelDepth&) const = default;
};

struct PoolView {
  std::int64_t at_ms = 0;
  StatsReply stats;
  std::vector<WorkerInfo> workers;
  std::vector<JobStatus> running;
  std::vector<ModelDepth> models;  ///< by depth, the deepest first
  bool all_queued = true;          ///< false: more jobs wait than were looked at
  std::vector<JobStatus> ended;    ///< of the newest jobs, the last end first
  std::optional<double> ended_per_min;
};

/// Asks the queen. Errors: as Hive::ask.
Result<PoolView> look(Hive& hive);

/// Queued and running jobs counted by model.
std::vector<ModelDepth> depths_of(const std::vector<JobStatus>& queued,
                                  const std::vector<JobStatus>& running);

/// Jobs that ended in the last minute before `now_ms`; what a single look knows of the rate.
double ends_in_last_minute(const std::vector<JobStatus>& ended, std::int64_t now_ms);

/// Jobs that end a minute, from the counts of several looks. Counts that fall (records expire) start it anew.
class EndRate {
 public:
  using Clock = std::chrono::steady_clock;
  void add(std::int64_t ended, Clock::time_point at);
  [[nodiscard]] std::optional<double> per_min() const;

 private:
  std::deque<std::pair<Clock::time_point, std::int64_t>> looks_;
};

/// Every end that the counts know.
std::int64_t ended_count(const StatsReply& stats);

/// One JSON object: {"at_ms", "stats", "models", "workers", "running", "ended", "ended_per_min"}.
std::string view_json(const PoolView& view);

}  // namespace waggle::cli

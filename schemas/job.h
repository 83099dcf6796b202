// A job as the ledger keeps it, and the states it moves through.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/error.h"
#include "schemas/ids.h"
#include "schemas/operation.h"

namespace waggle {

enum class JobState : std::uint8_t { queued, running, completed, failed, cancelled, expired, dead };
std::string_view name(JobState state) noexcept;
std::optional<JobState> job_state_from_name(std::string_view name) noexcept;
/// Whether no event can follow (dead counts: only a requeue by hand leaves it).
bool is_terminal(JobState state) noexcept;

/// One image of a finished or running job. The bytes are in the image store under (job, index).
struct ImageInfo {
  int index = 0;  ///< 0-based
  std::int64_t seed = 0;
  OutputFormat format = OutputFormat::png;
  int width = 0, height = 0;  ///< pixels
  std::int64_t bytes = 0;     ///< encoded size
  bool operator==(const ImageInfo&) const = default;
};

/// Why one attempt ended without success.
struct AttemptError {
  int attempt = 0;
  WorkerId worker;
  Error error;
  std::int64_t at_ms = 0;  ///< Redis clock, milliseconds since the epoch
  bool operator==(const AttemptError&) const = default;
};

/// What anybody may know of a job. Times are milliseconds since the epoch by Redis's clock.
struct JobStatus {
  JobId id;
  JobState state = JobState::queued;
  std::string model;
  int priority = 0;
  std::optional<std::string> tenant;
  int attempt = 0;  ///< 0 until first claimed
  int max_attempts = 3;
  std::optional<WorkerId> worker;  ///< who runs or ran it
  std::int64_t submitted_at_ms = 0;
  std::optional<std::int64_t> started_at_ms, finished_at_ms;
  std::optional<std::int64_t> position;  ///< queued: jobs ahead of it, 0 = next
  std::optional<double> eta_s;           ///< queued and running: estimated seconds to the end, when known
  int step = 0, total_steps = 0;         ///< running: progress over all images
  bool cancel_requested = false;
  std::vector<ImageInfo> images;
  std::optional<std::int64_t> seed;    ///< of image 0, once known
  std::optional<Error> error;          ///< failed, dead, expired: why
  std::vector<AttemptError> attempts;  ///< every attempt that failed
  bool operator==(const JobStatus&) const = default;
};

}  // namespace waggle

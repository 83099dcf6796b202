// The loop of a run: keeps a bounded number of jobs in a backend's hands, writes each picture as it comes and
// then records it. Knows neither queue nor engine.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>

#include "consumer/cli/batch/backend.h"
#include "consumer/cli/batch/manifest.h"
#include "consumer/cli/batch/reporter.h"

namespace waggle::cli::batch {

struct RunOptions {
  std::filesystem::path folder;
  std::size_t window = 64;                        ///< jobs in the backend's hands at once
  bool retry_failed = false;                      ///< jobs that failed in an earlier session are begun anew
  std::chrono::milliseconds stop_patience{5000};  ///< for jobs in hand, after the first stop signal
};

struct RunResult {
  std::size_t done = 0, failed = 0;
  bool interrupted = false;
};

/// Runs every job of the manifest that has not ended yet. `stops` counts the user's signals: from the first
/// on nothing is submitted and what is in hand is cancelled, at the second the run ends at once. Errors:
/// io_error (a picture or the manifest cannot be written), what the backend says ends the run, and
/// unavailable.
Result<RunResult> run(Manifest& manifest, Backend& backend, Reporter& reporter,
                      const std::function<int()>& stops, const RunOptions& options);

/// "<run>-<index>", and "-<generation>" once there is one: submitted twice, a job is made once.
std::string idempotency_key(const RunHeader& header, std::size_t index, int generation);

}  // namespace waggle::cli::batch

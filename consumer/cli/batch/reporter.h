// What a run shows of itself: a live block on a terminal, lines in a log, or JSON lines for a script.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "consumer/cli/batch/manifest.h"
#include "consumer/cli/batch/tally.h"
#include "consumer/cli/terminal.h"
#include "schemas/error.h"

namespace waggle::cli::batch {

class Reporter {
 public:
  virtual ~Reporter() = default;
  virtual void picture(const PlannedJob& job, const ImageRecord& image) = 0;
  virtual void failed(const PlannedJob& job, const Error& error) = 0;
  virtual void note(const std::string& text) = 0;
  /// Called often; shows where the run stands when it is time to.
  virtual void tick(const Tally& tally, Tally::Clock::time_point now) = 0;
  /// Once, last.
  virtual void end(const Tally& tally, bool interrupted) = 0;
};

struct ReporterOptions {
  bool json = false, quiet = false;
  std::string source;  ///< the file's name, for failures
  std::string folder;  ///< as given, before every file that is told
};

/// JSON lines when asked for; else a live block where both streams are a terminal; else, on standard output,
/// the path of every picture, and on standard error now and then where the run stands.
std::unique_ptr<Reporter> make_reporter(const Terminal& terminal, const ReporterOptions& options);

/// The live block: the run, then each worker. No line is wider than `width`.
std::vector<std::string> live_lines(const Tally& tally, int width, Tally::Clock::time_point now);
/// "185/500 jobs, 2 failed, 12.3 jobs/s, eta 0:26"
std::string state_line(const Tally& tally, Tally::Clock::time_point now);

}  // namespace waggle::cli::batch

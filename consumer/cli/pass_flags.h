// The flags of a job's passes beyond the first: a second one at a larger size (hires), and a refiner that
// finishes the last.
#pragma once

#include <optional>
#include <string>

#include "schemas/operation.h"
#include "schemas/result.h"

namespace CLI {
class App;
}

namespace waggle::cli {

struct PassFlags {
  std::optional<std::string> hires{}, upscaler{}, refiner{};
  std::optional<int> hires_steps{};
  std::optional<double> hires_strength{}, refiner_start{};
};

void add_pass_flags(CLI::App& app, PassFlags& flags);

/// Errors: invalid_request in terms of flags, also for one that needs another.
Status set_passes(const PassFlags& flags, JobRequest& request);

}  // namespace waggle::cli

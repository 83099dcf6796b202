// The pipeline as its users meet it: loading a model, and whole renders through the public face.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tests/pipeline/bench/options.h"

namespace waggle::bench {

/// A model into the pipeline, each run in a process of its own, beside reading the bytes of the same files;
/// and back to it after another was loaded. Throws std::exception.
nlohmann::json measure_load(const Options& options);

/// One job, two jobs in one batch, and a third that comes in mid-run; where the time went, and the most
/// memory that the process had once the model was loaded. Throws std::exception.
nlohmann::json measure_renders(const Options& options);

}  // namespace waggle::bench

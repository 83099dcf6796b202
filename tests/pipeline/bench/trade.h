// What each shortcut of a job (guidance interval, deep cache, token merging) and weights in int8 cost in
// latents and give in seconds.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tests/pipeline/bench/options.h"

namespace waggle::bench {

/// Whole runs of the denoiser from the same noise, the exact one, each shortcut and int8 in turn, `runs`
/// seeds after a warm-up: the relative error of the final latents, and the median of the time against the
/// exact run of the same seed. Throws std::exception.
nlohmann::json measure_shortcuts(const Options& options);

}  // namespace waggle::bench

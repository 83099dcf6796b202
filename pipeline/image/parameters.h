// The "parameters" text that AUTOMATIC1111 readers parse: prompt, "Negative prompt: ...", then one line of "Key: value" pairs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "schemas/operation.h"

namespace waggle::pipeline {

/// `resolved` has every default filled in; `seed` is this image's own.
std::string a1111_parameters(const JobRequest& resolved, std::int64_t seed, int width, int height,
                             std::string_view version);

}  // namespace waggle::pipeline

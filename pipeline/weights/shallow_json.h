// JSON out of a model's files, whose nesting is bounded: the library copies, compares and prints a value by
// recursion, so that a few megabytes of brackets would end the stack. Knows nothing of what the files mean.
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace waggle::pipeline {

/// Deeper than any file that a model is described by.
inline constexpr int kDeepestJson = 32;

/// `is_discarded()` when the text is no JSON, or is nested deeper than kDeepestJson.
nlohmann::json parse_shallow_json(std::string_view text);

}  // namespace waggle::pipeline

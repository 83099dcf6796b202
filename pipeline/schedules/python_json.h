// Python writes bare Infinity, -Infinity and NaN into JSON, which JSON has no words for. DPM-Solver's
// configuration files carry them ("lambda_min_clipped": -Infinity). This turns such words into null and
// touches nothing else.
#pragma once

#include <string>
#include <string_view>

namespace waggle::pipeline {

/// The text with each bare Infinity, -Infinity and NaN outside strings replaced by null.
std::string without_python_numbers(std::string_view json);

}  // namespace waggle::pipeline

// Axes of a grid: every job of a file once for each combination of their values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/codec/document.h"
#include "schemas/result.h"

namespace waggle::cli::batch {

struct Axis {
  std::string name;                 ///< as written
  std::vector<std::string> values;  ///< at least one
};

/// "sampler=euler,ddim"; a value that holds a comma stands in double quotes. Errors: invalid_request.
Result<Axis> parse_axis(std::string_view text);

/// Every combination as fields that go over a job's own, the last axis changing fastest; one empty
/// combination without axes. Errors: invalid_request (a value that is none for its field, an axis twice, more
/// than `limit` combinations).
Result<std::vector<codec::Object>> combinations(const std::vector<Axis>& axes, std::size_t limit);

}  // namespace waggle::cli::batch

// Checks of a request's fields against schemas/limits.h. Reports every bad field, not the first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schemas/error.h"
#include "schemas/operation.h"

namespace waggle {

/// Every field that is out of range, in field order; empty when the request is good. Reads the structure
/// of a picture's file, none of its samples. Does not know which models, samplers and workers exist. `prefix`
/// is put before every path.
std::vector<FieldError> validate(const JobRequest& request, std::string_view prefix = "");

/// Whether the bytes are well-formed UTF-8 without NUL (RFC 3629: no surrogates, no overlong forms).
bool is_valid_utf8(std::string_view text) noexcept;

/// An invalid_request error over these fields.
Error invalid_request(std::vector<FieldError> fields);

}  // namespace waggle

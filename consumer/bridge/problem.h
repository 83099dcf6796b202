// Every refusal as one problem document (RFC 9457): {type, title, status, detail, code, retryable, errors?}.
#pragma once

#include <string>
#include <string_view>

#include "consumer/bridge/http.h"
#include "schemas/error.h"

namespace waggle::bridge {

/// The answer to an error of the queue; status and retryable are those of the error table. `errors` holds one
/// {pointer, detail} per bad field; Retry-After is sent whenever coming back can help.
HttpResponse problem(const Error& error);

/// A refusal that only HTTP knows (405, 408, 431, ...); `code` is its stable name.
HttpResponse problem(int status, std::string_view code, std::string_view detail);

}  // namespace waggle::bridge

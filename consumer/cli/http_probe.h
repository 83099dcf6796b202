// The two things that `waggle up` needs of TCP: a free port, and whether a URL on this machine answers 200.
// No HTTP client.
#pragma once

#include <string_view>

namespace waggle::cli {

/// A port of 127.0.0.1 that nobody had a moment ago. Throws std::system_error.
int free_port();

/// Whether GET answers 200 within a second.
bool answers_ok(std::string_view host, int port, std::string_view path);

}  // namespace waggle::cli

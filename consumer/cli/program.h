// The frame of `waggle`: parses the command line by the table of commands and turns every outcome into an
// exit code.
#pragma once

namespace waggle::cli {

/// The whole program but for `main`. Rubbish on the command line is one line on standard error and exit
/// code 2.
int run(int argc, const char* const* argv) noexcept;

}  // namespace waggle::cli

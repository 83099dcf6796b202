// The pages of `waggle` and its commands, for those who print them.
#pragma once

#include "consumer/program/manual/page.h"

namespace waggle::cli {

/// The exit codes as the manual has them.
program::manual::ExitCodes exit_codes();

/// The whole program, found from any of its commands.
program::manual::Page whole_page(const CLI::App& command);

}  // namespace waggle::cli

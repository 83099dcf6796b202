// `waggle version`.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "consumer/cli/command.h"
#include "consumer/program/program.h"
#include "schemas/message.h"

namespace waggle::cli {

namespace {
Action attach(CLI::App&) {
  return [](const Terminal&) {
    std::printf("waggle %.*s (protocol %d)\n", static_cast<int>(program::version().size()),
                program::version().data(), kProtocolVersion);
    return ExitCode::ok;
  };
}
}  // namespace

const Command kVersionCommand{"version", "Print the version of the program and of the protocol",
                              "  waggle version\n", attach};

}  // namespace waggle::cli

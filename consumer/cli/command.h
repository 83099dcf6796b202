// One sub-command of `waggle`: a row of a table. To add one: a file with its row, a line in commands.cpp.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "consumer/cli/exit_code.h"
#include "consumer/cli/terminal.h"
#include "schemas/error.h"

namespace CLI {
class App;
}

namespace waggle::cli {

/// The body of a command, made by `attach` and run after a successful parse.
using Action = std::function<ExitCode(const Terminal&)>;

struct Command {
  std::string_view name;
  std::string_view summary;
  std::string_view examples;        ///< the end of its --help
  Action (*attach)(CLI::App& app);  ///< adds the flags to `app`; the action keeps their values alive
};

extern const Command kInfoCommand, kShowCommand, kLogsCommand, kTopCommand, kManCommand, kCompletionCommand;

extern const Command kRenderCommand, kSubmitCommand, kWatchCommand, kStatusCommand, kCancelCommand,
    kFetchCommand, kJobsCommand, kWorkersCommand, kModelsCommand, kRequeueCommand, kDrainCommand,
    kPauseCommand, kResumeCommand, kLoadCommand, kUnloadCommand, kStatsCommand, kKeysCommand, kUpCommand,
    kVersionCommand, kBatchCommand, kSheetCommand, kViewCommand;

/// In the order of `waggle --help`.
std::span<const Command* const> commands();

/// Prints one line ("waggle: unavailable: ...; start one with `waggle up`") and says how to exit.
ExitCode fail(const Terminal& terminal, const Error& error);

}  // namespace waggle::cli

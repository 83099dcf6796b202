// The table of commands.
#include <array>
#include <cstdio>

#include "consumer/cli/command.h"

namespace waggle::cli {

std::span<const Command* const> commands() {
  static constexpr std::array kCommands{
      &kUpCommand,      &kRenderCommand,     &kBatchCommand,   &kSubmitCommand,  &kWatchCommand,
      &kStatusCommand,  &kFetchCommand,      &kCancelCommand,  &kRequeueCommand, &kJobsCommand,
      &kWorkersCommand, &kModelsCommand,     &kDrainCommand,   &kPauseCommand,   &kResumeCommand,
      &kLoadCommand,    &kUnloadCommand,     &kStatsCommand,   &kKeysCommand,    &kViewCommand,
      &kInfoCommand,    &kSheetCommand,      &kShowCommand,    &kLogsCommand,    &kTopCommand,
      &kManCommand,     &kCompletionCommand, &kVersionCommand,
  };
  return kCommands;
}

ExitCode fail(const Terminal& terminal, const Error& error) {
  std::string line = printable(to_string(error));
  if (const std::string_view next = advice(error.code); !next.empty()) line.append("; ").append(next);
  const std::string head = paint(terminal.colour_err, Colour::red, "waggle:");
  std::fprintf(stderr, "%s %s\n", head.c_str(), line.c_str());
  return exit_code(error.code);
}

}  // namespace waggle::cli

// Parsing by CLI11: its exceptions end here.
#include "consumer/cli/program.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "consumer/cli/command.h"
#include "consumer/cli/manual.h"
#include "consumer/program/manual/writers.h"
#include "consumer/program/program.h"

namespace waggle::cli {

namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  waggle up --model models/sd15\n"
    "  waggle render --model models/sd15 \"a lighthouse at dusk\" -o lighthouse.png\n"
    "  waggle submit --help\n"
    "\n"
    "Every flag also reads the environment (--redis-url: WAGGLE_REDIS_URL) and the file of --config. "
    "NO_COLOR "
    "switches colours off. `waggle man COMMAND` shows the manual page of a command.";

/// The deepest sub-command that the parser had entered, for "see waggle submit --help".
std::string command_in(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? std::string("waggle") : "waggle " + parsed.front()->get_name();
}

/// CLI11 spreads some messages over several lines; a script that logs the first one would lose the rest.
std::string one_line(std::string text) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return printable(text);
}

/// Flags of nearly every command stand last in its help, under headings of their own.
void group_flags(CLI::App& command) {
  static constexpr std::array kPool{"--connect", "--redis-url", "--redis-prefix",    "--timeout",
                                    "--json",    "--curve-key", "--curve-server-key"};
  for (const char* name : kPool) {
    CLI::Option* option = command.get_option_no_throw(name);
    if (option != nullptr && command.get_option_no_throw("--redis-url") != nullptr) option->group("The pool");
  }
}

int run_checked(int argc, const char* const* argv) {
  CLI::App app("Image generation as a message-queue service.", "waggle");
  app.set_version_flag("--version", "waggle " + std::string(program::version()));
  app.require_subcommand(1);
  app.formatter(program::manual::help_formatter(exit_codes(), program::manual::help_width()));
  app.footer(kFooter);
  std::vector<std::pair<CLI::App*, Action>> actions;
  for (const Command* command : commands()) {
    CLI::App* sub = app.add_subcommand(std::string(command->name), std::string(command->summary));
    sub->footer("Examples:\n" + std::string(command->examples));
    actions.emplace_back(sub, command->attach(*sub));
    group_flags(*sub);
  }
  program::apply_conventions(app);
  const Terminal terminal = Terminal::detect();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    const std::string command = command_in(app);
    std::cerr << "waggle: " << one_line(error.what()) << " (see " << command << " --help)\n";
    return static_cast<int>(ExitCode::usage);
  }
  // A closed pipe (`waggle jobs | head`) is an error of write(), not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  for (const auto& [sub, action] : actions) {
    if (sub->parsed()) return static_cast<int>(action(terminal));
  }
  return static_cast<int>(ExitCode::usage);
}

}  // namespace

int run(int argc, const char* const* argv) noexcept {
  try {
    return run_checked(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "waggle: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "waggle: an exception of an unknown kind\n");
  }
  return static_cast<int>(ExitCode::job_failed);
}

}  // namespace waggle::cli

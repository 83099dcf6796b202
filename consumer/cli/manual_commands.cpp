// `waggle completion` and `waggle man`: both written from the flags that the parser itself uses.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "consumer/cli/command.h"
#include "consumer/cli/manual.h"
#include "consumer/cli/output_file.h"
#include "consumer/program/manual/writers.h"
#include "consumer/program/program.h"

namespace waggle::cli {

namespace manual = program::manual;

manual::ExitCodes exit_codes() {
  manual::ExitCodes codes;
  for (const ExitCodeMeaning& row : exit_code_table())
    codes.emplace_back(static_cast<int>(row.code), std::string(row.meaning));
  return codes;
}

manual::Page whole_page(const CLI::App& command) {
  const CLI::App* root = &command;
  while (root->get_parent() != nullptr) root = root->get_parent();
  return manual::page_of(*root, root->get_name(), exit_codes());
}

namespace {

struct ManFlags {
  std::string command;
  std::filesystem::path all;
};

/// Every page as a file of its own.
ExitCode write_pages(const Terminal& terminal, const manual::Page& page,
                     const std::filesystem::path& folder) {
  const auto file = folder / manual::man_file_name(page);
  if (auto written = write_atomically(file, manual::man_page(page, program::version())); !written)
    return fail(terminal, written.error());
  std::printf("%s\n", file.c_str());
  for (const manual::Page& command : page.commands) {
    if (const ExitCode code = write_pages(terminal, command, folder); code != ExitCode::ok) return code;
  }
  return ExitCode::ok;
}

/// Through man where somebody is looking, as it is into a pipe.
ExitCode show(const Terminal& terminal, const manual::Page& page) {
  const std::string text = manual::man_page(page, program::version());
  std::FILE* reader = terminal.out_is_terminal ? popen("man -l -", "w") : nullptr;
  std::fwrite(text.data(), 1, text.size(), reader == nullptr ? stdout : reader);
  if (reader == nullptr || pclose(reader) == 0) return ExitCode::ok;
  return fail(terminal, {ErrorCode::unavailable,
                         "man cannot show the page; install man-db, or read `" + page.name + " --help`"});
}

ExitCode man(const Terminal& terminal, const manual::Page& whole, const ManFlags& flags) {
  if (!flags.all.empty()) return write_pages(terminal, whole, flags.all);
  if (flags.command.empty()) return show(terminal, whole);
  for (const manual::Page& page : whole.commands) {
    if (manual::command_name(page) == flags.command) return show(terminal, page);
  }
  return fail(terminal, {ErrorCode::invalid_request,
                         "there is no command \"" + flags.command + "\"; `waggle --help` lists them"});
}

Action attach_man(CLI::App& app) {
  auto flags = std::make_shared<ManFlags>();
  auto* command = app.add_option("command", flags->command, "A command, without it the program");
  app.add_option("--all", flags->all, "Write every page into this folder")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR")
      ->excludes(command);
  return [flags, &app](const Terminal& terminal) { return man(terminal, whole_page(app), *flags); };
}

Action attach_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  return [shell, &app](const Terminal&) {
    const std::string text = manual::completion(whole_page(app), manual::shell_from_name(*shell).value());
    std::fwrite(text.data(), 1, text.size(), stdout);
    return ExitCode::ok;
  };
}

}  // namespace

const Command kManCommand{"man", "Show the manual page of a command, or of the program",
                          "  waggle man render\n"
                          "  waggle man --all ~/.local/share/man/man1\n",
                          attach_man};

const Command kCompletionCommand{"completion", "Print a script that completes commands and flags in a shell",
                                 "  source <(waggle completion bash)\n"
                                 "  waggle completion zsh > ~/.zfunc/_waggle\n"
                                 "  waggle completion fish > ~/.config/fish/completions/waggle.fish\n",
                                 attach_completion};

}  // namespace waggle::cli

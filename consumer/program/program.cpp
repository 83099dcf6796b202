// The flag conventions over CLI11, and the frame around a program's body.
#include "consumer/program/program.h"

#include <cctype>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "consumer/program/manual/writers.h"

namespace waggle::program {
namespace {

bool is_set(const std::string& environment_variable) {
  const char* value = std::getenv(environment_variable.c_str());
  return value != nullptr && *value != '\0';
}

/// CLI11 lets the file win over the environment; operators expect the reverse, so what the environment sets
/// is left out of the file.
class FileBelowEnvironment final : public CLI::ConfigTOML {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    auto found = CLI::ConfigTOML::from_config(input);
    std::erase_if(found, [](const CLI::ConfigItem& item) { return is_set(environment_name(item.name)); });
    return found;
  }
};

void name_environment(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const auto& names = option->get_lnames();
    if (names.empty() || names.front() == "help" || names.front() == "version" || names.front() == "config" ||
        names.front() == "man" || names.front() == "completion")
      continue;
    if (option->get_envname().empty()) option->envname(environment_name(names.front()));
  }
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    name_environment(*command);
}

const manual::ExitCodes& exit_codes() {
  static const manual::ExitCodes kCodes{
      {kOk, "done"},
      {kFailure, "something that a restart does not mend"},
      {kUsage, "a bad flag, value or configuration file"},
      {kNoDevice, "this machine or this build lacks the device"},
      {kModelMismatch, "the model is of another kind than --sd-version says"},
      {kWedged, "the device hangs: start me again"},
  };
  return kCodes;
}

/// --man and --completion, alone on the command line: what the program needs otherwise is not asked for.
std::optional<std::string> manual_text(const CLI::App& app, const std::string& name, int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  const auto page = [&] { return manual::page_of(app, name, exit_codes()); };
  if (argc == 2 && first == "--man") return manual::man_page(page(), version());
  std::string_view shell;
  if (argc == 3 && first == "--completion") shell = argv[2];
  if (argc == 2 && first.starts_with("--completion=")) shell = first.substr(first.find('=') + 1);
  const auto known = manual::shell_from_name(shell);
  return known ? std::optional(manual::completion(page(), *known)) : std::nullopt;
}

}  // namespace

std::string_view version() noexcept { return WAGGLE_VERSION; }

std::string environment_name(std::string_view flag) {
  while (flag.starts_with('-')) flag.remove_prefix(1);
  std::string name = "WAGGLE_";
  for (const char c : flag) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

void apply_conventions(CLI::App& app) {
  const char* file = std::getenv("WAGGLE_CONFIG");
  app.set_config("--config", file == nullptr ? "" : file, "Read flags from this file (TOML or INI)",
                 file != nullptr && *file != '\0')
      ->type_name("FILE");
  app.config_formatter(std::make_shared<FileBelowEnvironment>());
  // A mistyped key is an error, as a mistyped flag is.
  app.allow_config_extras(CLI::config_extras_mode::error);
  name_environment(app);
}

Program::Program(std::string name, std::string description)
    : name_(std::move(name)), flags_(std::make_unique<CLI::App>(std::move(description), name_)) {
  flags_->formatter(manual::help_formatter(exit_codes(), manual::help_width()));
  flags_->set_version_flag("--version", name_ + " " + std::string(version()));
  flags_->add_option("--log-level", logging_.level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  flags_->add_flag("--log-json", logging_.json, "Log one JSON object a line");
  // Answered by manual_text(); here so that --help tells of them, and refused beside other flags.
  const auto only = [](const std::string& flag) {
    return [flag](const auto&...) { throw CLI::ValidationError(flag, "must be the only flag"); };
  };
  flags_
      ->add_option_function<std::string>("--completion", only("--completion"),
                                         "Print what completes the flags in bash, zsh or fish")
      ->type_name("SHELL")
      ->configurable(false);
  flags_->add_flag_callback("--man", only("--man"), "Print the manual page")->configurable(false);
}

Program::~Program() = default;

void Program::set_examples(std::string_view examples) {
  flags_->footer(
      "Examples:\n" + std::string(examples) +
      "\nEvery flag also reads the environment (--log-level: WAGGLE_LOG_LEVEL) and the file of --config.");
}

int Program::run(int argc, char** argv, const std::function<int()>& body) noexcept {
  try {
    apply_conventions(*flags_);
    if (const auto text = manual_text(*flags_, name_, argc, argv)) {
      std::cout << *text;
      return kOk;
    }
    try {
      flags_->parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return flags_->exit(error) == 0 ? kOk : kUsage;
    }
    // A peer that goes away is an error of write(), not the end of the program.
    std::signal(SIGPIPE, SIG_IGN);
    set_up_logging(name_, logging_);
    try {
      return body();
    } catch (const std::exception& error) {
      spdlog::error("{}", error.what());
    }
  } catch (const std::exception& error) {
    std::cerr << name_ << ": " << error.what() << '\n';
  } catch (...) {
    std::cerr << name_ << ": an exception of an unknown kind\n";
  }
  return kFailure;
}

}  // namespace waggle::program

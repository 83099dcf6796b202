// What every long-running program of the project does in the same way: flags that also read an environment
// variable and a configuration file, --version, logging to stderr, and an exit code from a body that may
// throw.
//
// Knows nothing of queues. A flag is written on the command line, in the environment (WAGGLE_ and the first
// long name in capitals: --redis-url reads WAGGLE_REDIS_URL) or in the file of --config (TOML or INI:
// redis-url = "..."); the first of these three that names it wins.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace waggle::program {

/// "0.1.0"
std::string_view version() noexcept;

struct Logging {
  std::string level = "info";  ///< trace, debug, info, warn, error, off
  bool json = false;           ///< one JSON object a line
};
/// Points spdlog's default logger at stderr. Lines carry the time (UTC), the level and the program's name.
void set_up_logging(std::string_view program, const Logging& logging);

/// The environment variable that a long flag reads: "--redis-url" or "redis-url" -> "WAGGLE_REDIS_URL".
std::string environment_name(std::string_view flag);

/// Gives every option of the app and its subcommands its environment variable, and a --config flag to the app
/// itself.
void apply_conventions(CLI::App& app);

/// Exit codes, as a supervisor sees them. Never renumber.
enum ExitCode : int {
  kOk = 0,
  kFailure = 1,        ///< an exception, or something that will not mend by a restart
  kUsage = 2,          ///< a bad flag, value or configuration file
  kNoDevice = 3,       ///< this machine or this libtorch lacks the device
  kModelMismatch = 4,  ///< the model is of another kind than --sd-version says
  kWedged = 75,        ///< the device hangs: start me again (EX_TEMPFAIL)
};

class Program {
 public:
  Program(std::string name, std::string description);
  ~Program();

  /// Add flags here before run().
  [[nodiscard]] CLI::App& flags() { return *flags_; }

  /// The end of --help and of the manual page: command lines, one a line, indented by two.
  void set_examples(std::string_view examples);

  /// Parses, sets logging up and runs the body; returns the exit code. An exception of the body is one line
  /// in the log.
  int run(int argc, char** argv, const std::function<int()>& body) noexcept;

 private:
  std::string name_;
  Logging logging_;
  std::unique_ptr<CLI::App> flags_;
};

}  // namespace waggle::program

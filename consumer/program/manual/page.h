// What a program says of its flags, read off its CLI11 app: the one table that --help, the man pages and the
// shell completions are written from. Knows no layout.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace waggle::program::manual {

/// What a shell can offer for a value.
enum class Offer { nothing, choices, files, folders, jobs, workers, models };

struct Value {
  std::string name;                  ///< "FILE", "N"; empty: a flag without a value
  std::vector<std::string> choices;  ///< all that are accepted, or empty
  std::string range;                 ///< "0 to 65535"
  Offer offer = Offer::nothing;
};

struct Flag {
  std::vector<std::string> names;  ///< "-o", "--out"; short ones first
  Value value;
  std::string text, group;
  std::string fallback;  ///< the default, where the text does not tell it
  std::string variable;  ///< of the environment
  bool repeatable = false;
};

struct Argument {
  Value value;
  std::string text;
  bool required = false, repeatable = false;
};

using ExitCodes = std::vector<std::pair<int, std::string>>;

struct Page {
  std::string name;  ///< "waggle render"
  std::string summary;
  std::vector<Argument> arguments;
  std::vector<Flag> flags;  ///< by group, groups in the order of their first flag
  std::vector<Page> commands;
  std::string examples;  ///< one a line
  std::string note;      ///< what else its footer says
  ExitCodes exit_codes;
};

/// The page of an app and those of its commands. `name`: with the names of the programs it is a command of.
/// A footer that begins with "Examples:" is taken as them, up to an empty line.
Page page_of(const CLI::App& app, std::string name, const ExitCodes& exit_codes);

/// "waggle render [FLAGS] PROMPT"
std::string usage(const Page& page);

/// "render" of "waggle render"; empty for a program.
std::string_view command_name(const Page& page);

}  // namespace waggle::program::manual

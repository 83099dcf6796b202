// bash: one function, which needs neither bash-completion nor anything newer than bash 3.2.
#include "consumer/program/manual/shells.h"
#include "consumer/program/manual/writers.h"

namespace waggle::program::manual {

namespace {

/// The statement that fills COMPREPLY for a value.
std::string reply(const Value& value) {
  switch (value.offer) {
    case Offer::choices:
      return concat({"COMPREPLY=($(IFS=' '; compgen -W ", quoted(words(value.choices)), " -- \"$cur\"))"});
    case Offer::files:
      return "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\"))";
    case Offer::folders:
      return "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- \"$cur\"))";
    case Offer::jobs:
    case Offer::workers:
    case Offer::models:
      return concat({"COMPREPLY=($(compgen -W \"$(", listing_command(value.offer), ")\" -- \"$cur\"))"});
    case Offer::nothing:
      return ":";
  }
  return ":";
}

/// "'render -o'|'render --out') ..." for each flag with a value.
void add_values(std::string& out, const Page& page) {
  const std::string command(command_name(page));
  for (const Flag& flag : page.flags) {
    if (flag.value.name.empty()) continue;
    std::string pattern;
    for (const std::string& name : flag.names)
      pattern += concat({pattern.empty() ? "" : "|", quoted(concat({command, " ", name}))});
    out += concat({"    ", pattern, ") ", reply(flag.value), "; return ;;\n"});
  }
  for (const Page& each : page.commands) add_values(out, each);
}

void add_flags(std::string& out, const Page& page) {
  std::vector<std::string> names;
  for (const Flag& flag : page.flags) names.insert(names.end(), flag.names.begin(), flag.names.end());
  out += concat({"      ", quoted(command_name(page)), ") COMPREPLY=($(IFS=' '; compgen -W ",
                 quoted(words(names)), " -- \"$cur\")) ;;\n"});
  for (const Page& each : page.commands) add_flags(out, each);
}

void add_arguments(std::string& out, const Page& page) {
  std::vector<std::string> commands;
  for (const Page& each : page.commands) commands.emplace_back(command_name(each));
  const bool offers = !page.arguments.empty() && page.arguments.front().value.offer != Offer::nothing;
  if (!commands.empty()) {
    out += concat(
        {"      '') COMPREPLY=($(IFS=' '; compgen -W ", quoted(words(commands)), " -- \"$cur\")) ;;\n"});
  } else if (offers) {
    out += concat({"      ", quoted(command_name(page)), ") ", reply(page.arguments.front().value), " ;;\n"});
  }
  for (const Page& each : page.commands) add_arguments(out, each);
}

}  // namespace

std::string bash_completion(const Page& page) {
  const std::string function = function_name(page);
  std::string commands = "''";
  for (const Page& each : page.commands) commands += concat({"|", command_name(each)});
  std::string out =
      "# bash completion for " + page.name + ", written by the program from its own flags.\n" + function +
      "() {\n"
      "  local IFS=$' \\t\\n' cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' i\n"
      "  COMPREPLY=()\n"
      "  # --flag=value: bash cuts words at the equals sign.\n"
      "  if [[ $cur == '=' ]]; then\n"
      "    cur=''\n"
      "  elif [[ $prev == '=' ]]; then\n"
      "    prev=${COMP_WORDS[COMP_CWORD-2]}\n"
      "  fi\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    case ${COMP_WORDS[i]} in\n"
      "      " +
      commands +
      ") command=${COMP_WORDS[i]}; break ;;\n"
      "    esac\n"
      "  done\n"
      "  IFS=$'\\n'\n"
      "  case \"$command $prev\" in\n";
  add_values(out, page);
  out += "  esac\n  if [[ $cur == -* ]]; then\n    case $command in\n";
  add_flags(out, page);
  out += "    esac\n  else\n    case $command in\n";
  const std::size_t before = out.size();
  add_arguments(out, page);
  if (out.size() == before) out += "      *) ;;\n";
  out += "    esac\n  fi\n}\ncomplete -F " + function + " " + page.name + "\n";
  return out;
}

}  // namespace waggle::program::manual

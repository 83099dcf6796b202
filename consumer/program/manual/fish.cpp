// fish: one `complete` for each flag, with the condition under which it is offered.
#include "consumer/program/manual/shells.h"
#include "consumer/program/manual/writers.h"

namespace waggle::program::manual {

namespace {

/// In single quotes, in which fish knows two escapes.
std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out += '\'';
}

/// What follows a flag or stands as an argument.
std::string offer(const Value& value) {
  switch (value.offer) {
    case Offer::choices:
      return concat({" -f -a ", fish_quoted(words(value.choices))});
    case Offer::files:
      return " -F";
    case Offer::folders:
      return " -f -a '(__fish_complete_directories)'";
    case Offer::jobs:
    case Offer::workers:
    case Offer::models:
      return concat({" -f -a ", fish_quoted(concat({"(", listing_command(value.offer), ")"}))});
    case Offer::nothing:
      return " -f";
  }
  return {};
}

void add_page(std::string& out, const std::string& program, const Page& page, const std::string& condition) {
  const std::string head =
      "complete -c " + program + (condition.empty() ? "" : " -n " + fish_quoted(condition));
  for (const Flag& flag : page.flags) {
    out += head;
    for (const std::string& name : flag.names) {
      const bool long_one = name.starts_with("--");
      out.append(long_one ? " -l " : " -s ").append(name.substr(long_one ? 2 : 1));
    }
    if (!flag.value.name.empty()) out += concat({" -r", offer(flag.value)});
    out += concat({" -d ", fish_quoted(flag.text), "\n"});
  }
  if (!page.arguments.empty()) out += head + offer(page.arguments.front().value) + "\n";
}

}  // namespace

std::string fish_completion(const Page& page) {
  std::string out = "# fish completion for " + page.name + ", written by the program from its own flags.\n";
  out += "complete -c " + page.name + " -f\n";
  add_page(out, page.name, page, page.commands.empty() ? "" : "__fish_use_subcommand");
  for (const Page& each : page.commands) {
    const std::string command(command_name(each));
    out += "complete -c " + page.name + " -n '__fish_use_subcommand' -f -a " + command + " -d " +
           fish_quoted(each.summary) + "\n";
    add_page(out, page.name, each, "__fish_seen_subcommand_from " + command);
  }
  return out;
}

}  // namespace waggle::program::manual

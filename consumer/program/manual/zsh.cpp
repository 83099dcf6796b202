// zsh: _arguments does the work; this writes its specifications.
#include "consumer/program/manual/shells.h"
#include "consumer/program/manual/writers.h"

namespace waggle::program::manual {

namespace {

/// Text inside a specification: brackets and colons separate its parts.
std::string spec_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// ":FILE:_files"
std::string value_spec(const Value& value) {
  if (value.name.empty()) return {};
  std::string action;
  switch (value.offer) {
    case Offer::choices:
      action = concat({"(", words(value.choices), ")"});
      break;
    case Offer::files:
      action = "_files";
      break;
    case Offer::folders:
      action = "_files -/";
      break;
    case Offer::jobs:
    case Offer::workers:
    case Offer::models:
      action = concat({"{compadd -- $(", listing_command(value.offer), ")}"});
      break;
    case Offer::nothing:
      action = " ";
      break;
  }
  return concat({":", spec_text(value.name), ":", action});
}

void add_specs(std::string& out, const Page& page, std::string_view indent) {
  for (const Flag& flag : page.flags) {
    // Names of one flag exclude each other, unless it may be given again.
    const std::string others = flag.repeatable ? std::string("*") : concat({"(", words(flag.names), ")"});
    for (const std::string& name : flag.names) {
      const bool long_one = name.starts_with("--") && !flag.value.name.empty();
      const std::string spec =
          concat({others, name, long_one ? "=" : "", "[", spec_text(flag.text), "]", value_spec(flag.value)});
      out.append(" \\\n").append(indent).append(quoted(spec));
    }
  }
}

void add_arguments(std::string& out, const Page& page, std::string_view indent) {
  for (const Argument& argument : page.arguments) {
    const std::string spec = concat({argument.repeatable ? "*" : "", value_spec(argument.value)});
    out.append(" \\\n").append(indent).append(quoted(spec));
  }
}

}  // namespace

std::string zsh_completion(const Page& page) {
  const std::string function = function_name(page);
  std::string out =
      "#compdef " + page.name + "\n# Written by the program from its own flags.\n" + function + "() {\n";
  if (page.commands.empty()) {
    out += "  _arguments -s";
    add_specs(out, page, "    ");
    add_arguments(out, page, "    ");
    return concat({out, "\n}\n", function, " \"$@\"\n"});
  }
  out += "  local curcontext=\"$curcontext\" state line\n  typeset -A opt_args\n  _arguments -C";
  add_specs(out, page, "    ");
  out +=
      " \\\n    '1: :->command' \\\n    '*:: :->arguments'\n  case $state in\n    command)\n      local -a "
      "commands\n      commands=(";
  for (const Page& each : page.commands)
    out +=
        concat({"\n        ", quoted(concat({spec_text(command_name(each)), ":", spec_text(each.summary)}))});
  out += "\n      )\n      _describe command commands ;;\n    arguments)\n      case $words[1] in\n";
  for (const Page& each : page.commands) {
    out += concat({"        ", command_name(each), ") _arguments -s"});
    add_specs(out, each, "          ");
    add_arguments(out, each, "          ");
    out += " ;;\n";
  }
  return concat({out, "      esac ;;\n  esac\n}\n", function, " \"$@\"\n"});
}

}  // namespace waggle::program::manual

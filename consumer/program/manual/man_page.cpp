// roff: a text line that begins with a dot is a command, a backslash begins an escape, and a bare hyphen may
// be broken or turned into a typographic one.
#include <algorithm>
#include <cctype>

#include "consumer/program/manual/writers.h"

namespace waggle::program::manual {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '`') {
      out += "\\(ga";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '~') {
      out += "\\(ti";
    } else {
      out += c;
    }
    // Long words, which are URLs and lists, may be broken here.
    if (c == '/' || c == ',') out += "\\:";
  }
  return out;
}

/// A quoted argument of a macro.
std::string argument(std::string_view text) {
  std::string out = "\"";
  for (const char c : escaped(text)) out += c == '"' ? std::string("\\(dq") : std::string(1, c);
  return out += '"';
}

std::string dashed(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, ' ', '-');
  return out;
}

std::string capitals(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

void add_flag(std::string& out, const Flag& flag) {
  out += ".TP\n";
  for (std::size_t i = 0; i < flag.names.size(); ++i)
    out.append(i == 0 ? "" : ", ").append("\\fB").append(escaped(flag.names[i])).append("\\fR");
  if (!flag.value.name.empty()) out.append(" \\fI").append(escaped(flag.value.name)).append("\\fR");
  out.append("\n").append(escaped(flag.text)).append(".\n");
  if (!flag.value.choices.empty()) {
    std::string all;
    for (const std::string& choice : flag.value.choices) all.append(all.empty() ? "" : ", ").append(choice);
    out.append("One of ").append(escaped(all)).append(".\n");
  }
  if (!flag.value.range.empty()) out.append("From ").append(escaped(flag.value.range)).append(".\n");
  if (!flag.fallback.empty()) out.append("Default: ").append(escaped(flag.fallback)).append(".\n");
  if (!flag.variable.empty()) out.append("Environment: ").append(escaped(flag.variable)).append(".\n");
}

void add_example_lines(std::string& out, std::string_view examples) {
  out += ".nf\n";
  while (!examples.empty()) {
    const std::size_t end = std::min(examples.find('\n'), examples.size());
    std::string_view line = examples.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    out.append(escaped(line)).append("\n");
    examples.remove_prefix(std::min(end + 1, examples.size()));
  }
  out += ".fi\n";
}

}  // namespace

std::string man_page(const Page& page, std::string_view version) {
  const std::string title = dashed(page.name);
  std::string out = ".\\\" Written by the program from its own flags.\n.TH ";
  out.append(argument(capitals(title))).append(" 1 \"\" ").append(argument("waggle " + std::string(version)));
  out.append(" \"Waggle\"\n.nh\n.ad l\n.SH NAME\n")
      .append(escaped(title))
      .append(" \\- ")
      .append(escaped(page.summary))
      .append("\n");
  out.append(".SH SYNOPSIS\n\\fB").append(escaped(page.name)).append("\\fR");
  out.append(escaped(usage(page).substr(page.name.size()))).append("\n");
  if (!page.commands.empty()) {
    out += ".SH COMMANDS\n";
    for (const Page& command : page.commands) {
      out.append(".TP\n\\fB").append(escaped(dashed(command.name))).append("\\fR(1)\n");
      out.append(escaped(command.summary)).append(".\n");
    }
  }
  if (!page.arguments.empty()) out += ".SH ARGUMENTS\n";
  for (const Argument& each : page.arguments) {
    out.append(".TP\n\\fI")
        .append(escaped(each.value.name))
        .append("\\fR\n")
        .append(escaped(each.text))
        .append(".\n");
  }
  if (!page.flags.empty()) out += ".SH OPTIONS\n";
  std::string_view group = "Options";
  for (const Flag& flag : page.flags) {
    if (group != flag.group) out.append(".SS ").append(argument(flag.group)).append("\n");
    group = flag.group;
    add_flag(out, flag);
  }
  if (!page.examples.empty()) {
    out += ".SH EXAMPLES\n";
    add_example_lines(out, page.examples);
  }
  if (!page.note.empty()) out.append(".SH NOTES\n").append(escaped(page.note)).append("\n");
  if (!page.exit_codes.empty()) out += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : page.exit_codes) {
    out.append(".TP\n.B ").append(std::to_string(code)).append("\n").append(escaped(meaning)).append(".\n");
  }
  if (const auto command = command_name(page); !command.empty()) {
    const std::string parent = page.name.substr(0, page.name.size() - command.size() - 1);
    out.append(".SH SEE ALSO\n.BR ").append(escaped(dashed(parent))).append(" (1)\n");
  }
  return out;
}

std::string man_file_name(const Page& page) { return dashed(page.name) + ".1"; }

}  // namespace waggle::program::manual

// The layout of --help: two columns, groups under their headings.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include <CLI/CLI.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include "consumer/program/manual/writers.h"

namespace waggle::program::manual {

namespace {

constexpr std::size_t kIndent = 2, kMostLeft = 28;
constexpr std::size_t kNarrowest = 40, kWidest = 110;

/// Columns of UTF-8 text; none of the texts has wide characters.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Words in lines of at most `width`, the first line after `used` columns, the others indented.
void add_wrapped(std::string& out, std::string_view text, std::size_t used, std::size_t indent,
                 std::size_t width) {
  std::size_t column = used;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!first && column + 1 + columns(word) > width) {
      out.append("\n").append(indent, ' ');
      column = indent;
      first = true;
    }
    if (!first) out += ' ', ++column;
    out += word;
    column += columns(word);
    first = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += '\n';
}

void add_row(std::string& out, std::string_view left, std::string_view right, std::size_t middle,
             std::size_t width) {
  out.append(kIndent, ' ').append(left);
  std::size_t used = kIndent + columns(left);
  if (used + 2 > middle) {
    out += '\n';
    used = 0;
  }
  out.append(middle - used, ' ');
  add_wrapped(out, right, middle, middle, width);
}

std::string left_of(const Flag& flag) {
  // Long names line up behind the place of a short one.
  std::string text = flag.names.front().starts_with("--") ? "    " : "";
  for (std::size_t i = 0; i < flag.names.size(); ++i) text.append(i == 0 ? "" : ", ").append(flag.names[i]);
  if (!flag.value.name.empty()) text.append(" ").append(flag.value.name);
  return text;
}

std::string right_of(const Flag& flag) {
  std::string text = flag.text;
  if (!flag.value.range.empty()) text.append(", ").append(flag.value.range);
  if (!flag.fallback.empty() && text.find("default:") == std::string::npos)
    text.append(" [").append(flag.fallback).append("]");
  return text;
}

class HelpFormatter final : public CLI::FormatterBase {
 public:
  HelpFormatter(ExitCodes exit_codes, int width) : exit_codes_(std::move(exit_codes)), width_(width) {}
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const override {
    return help_text(page_of(*app, std::move(name), exit_codes_), width_);
  }

 private:
  ExitCodes exit_codes_;
  int width_;
};

}  // namespace

std::string help_text(const Page& page, int terminal_width) {
  const std::size_t width =
      std::clamp(static_cast<std::size_t>(std::max(terminal_width, 0)), kNarrowest, kWidest);
  std::string out;
  add_wrapped(out, page.summary, 0, 0, width);
  out += "\nUsage: ";
  add_wrapped(out, usage(page), 7, 9, width);

  std::size_t middle = 0;
  const auto measure = [&](std::string_view left) {
    if (columns(left) <= kMostLeft) middle = std::max(middle, kIndent + columns(left) + 2);
  };
  for (const Argument& argument : page.arguments) measure(argument.value.name);
  for (const Flag& flag : page.flags) measure(left_of(flag));
  for (const Page& command : page.commands) measure(command_name(command));
  middle = std::min(std::max<std::size_t>(middle, 12), width / 2);

  if (!page.commands.empty()) out += "\nCommands:\n";
  for (const Page& command : page.commands)
    add_row(out, command_name(command), command.summary, middle, width);
  if (!page.arguments.empty()) out += "\n";
  for (const Argument& argument : page.arguments)
    add_row(out, argument.value.name, argument.text, middle, width);
  std::string_view group;
  for (const Flag& flag : page.flags) {
    if (group != flag.group) {
      group = flag.group;
      out.append("\n").append(group == "Options" ? "Flags" : group).append(":\n");
    }
    add_row(out, left_of(flag), right_of(flag), middle, width);
  }
  if (!page.examples.empty()) out += "\nExamples:\n" + page.examples;
  if (!page.note.empty()) {
    out += "\n";
    std::string_view note = page.note;
    while (!note.empty()) {
      const std::size_t end = std::min(note.find('\n'), note.size());
      add_wrapped(out, note.substr(0, end), 0, 0, width);
      note.remove_prefix(std::min(end + 1, note.size()));
    }
  }
  if (!page.exit_codes.empty()) {
    std::string codes = "Exit codes: ";
    for (const auto& [code, meaning] : page.exit_codes)
      codes += std::to_string(code) + " " + meaning + (code == page.exit_codes.back().first ? "." : "; ");
    out += "\n";
    add_wrapped(out, codes, 0, 2, width);
  }
  return out;
}

int help_width() {
  const char* columns = std::getenv("COLUMNS");
  if (const int given = columns == nullptr ? 0 : std::atoi(columns); given > 0) return given;
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::shared_ptr<CLI::FormatterBase> help_formatter(ExitCodes exit_codes, int width) {
  return std::make_shared<HelpFormatter>(std::move(exit_codes), width);
}

}  // namespace waggle::program::manual

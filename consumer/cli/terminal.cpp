// Detection by isatty and ioctl; NO_COLOR as https://no-color.org asks: set and not empty switches colour
// off.
#include "consumer/cli/terminal.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace waggle::cli {

namespace {

/// Empty when it is not set.
std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

/// A positive number of cells, or 0.
int cells(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value > 0 && value < 10'000 ? value : 0;
}

Palette palette_of(std::string_view term, std::string_view colorterm) {
  if (colorterm == "truecolor" || colorterm == "24bit" || term.ends_with("-direct")) return Palette::direct;
  return Palette::indexed;
}

}  // namespace

TerminalSize terminal_size() {
  TerminalSize size;
  winsize asked{};
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    if (ioctl(stream, TIOCGWINSZ, &asked) != 0 || asked.ws_col == 0 || asked.ws_row == 0) continue;
    size = {asked.ws_col, asked.ws_row};
    break;
  }
  if (const int columns = cells(environment("COLUMNS")); columns > 0) size.columns = columns;
  if (const int rows = cells(environment("LINES")); rows > 0) size.rows = rows;
  return size;
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value(environment(name));
    if (value.empty()) continue;
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

Terminal Terminal::detect() {
  Terminal terminal;
  terminal.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  terminal.err_is_terminal = isatty(STDERR_FILENO) == 1;
  const std::string_view term = environment("TERM");
  const bool wanted = environment("NO_COLOR").empty() && !term.empty() && term != "dumb";
  terminal.colour_out = wanted && terminal.out_is_terminal;
  terminal.colour_err = wanted && terminal.err_is_terminal;
  if (terminal.colour_out) terminal.palette = palette_of(term, environment("COLORTERM"));
  const TerminalSize size = terminal_size();
  terminal.width = size.columns;
  terminal.height = size.rows;
  terminal.utf8 = !terminal.out_is_terminal || locale_is_utf8();
  return terminal;
}

std::string paint(bool enabled, Colour colour, std::string_view text) {
  if (!enabled) return std::string(text);
  const char* code = "0";
  switch (colour) {
    case Colour::green:
      code = "32";
      break;
    case Colour::red:
      code = "31";
      break;
    case Colour::yellow:
      code = "33";
      break;
    case Colour::cyan:
      code = "36";
      break;
    case Colour::dim:
      code = "2";
      break;
    case Colour::bold:
      code = "1";
      break;
  }
  return std::string("\033[").append(code).append("m").append(text).append("\033[0m");
}

std::string printable(std::string_view text) {
  static const bool utf8 = isatty(STDOUT_FILENO) != 1 || locale_is_utf8();
  return printable(text, utf8);
}

std::string printable(std::string_view text, bool utf8) {
  std::string safe(text);
  for (std::size_t i = 0; i < safe.size(); ++i) {
    const auto byte = static_cast<unsigned char>(safe[i]);
    if (byte < 0x20 || byte == 0x7f) safe[i] = '?';
    // U+0080 to U+009F: control characters too, in two bytes of UTF-8.
    const bool next = i + 1 < safe.size() && (static_cast<unsigned char>(safe[i + 1]) & 0xe0) == 0x80;
    if (byte == 0xc2 && next) safe.replace(i, 2, "?");
  }
  if (utf8) return safe;
  std::string ascii;
  for (const char c : safe) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) ascii += c;
    if (byte >= 0xc0) ascii += '?';  // the bytes that follow it belong to the same character
  }
  return ascii;
}

}  // namespace waggle::cli

// Detection by isatty and ioctl; NO_COLOR as https://no-color.org asks: set and not empty switches colour
// off.
#include "consumer/cli/terminal.h"

#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace waggle::cli {

Terminal Terminal::detect() {
  Terminal terminal;
  terminal.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  terminal.err_is_terminal = isatty(STDERR_FILENO) == 1;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool wanted =
      (no_colour == nullptr || *no_colour == '\0') && term != nullptr && std::string_view(term) != "dumb";
  terminal.colour_out = wanted && terminal.out_is_terminal;
  terminal.colour_err = wanted && terminal.err_is_terminal;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.width = size.ws_col;
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
  }
  return std::string("\033[").append(code).append("m").append(text).append("\033[0m");
}

std::string printable(std::string_view text) {
  std::string safe(text);
  for (char& c : safe) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return safe;
}

}  // namespace waggle::cli

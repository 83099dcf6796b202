// What is known of the terminal: whether the streams are one, how wide it is, whether colour is wanted
// (NO_COLOR). Knows escape sequences for colour and for clearing a line, and nothing of what is printed.
#pragma once

#include <string>
#include <string_view>

namespace waggle::cli {

enum class Colour { green, red, yellow, cyan, dim };

struct Terminal {
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour_out = false;  ///< standard output takes escape sequences
  bool colour_err = false;
  int width = 80;  ///< columns of standard error

  /// Asks the streams and the environment (NO_COLOR, TERM, COLUMNS).
  static Terminal detect();
};

/// The text in a colour when `enabled`, else as it is.
std::string paint(bool enabled, Colour colour, std::string_view text);

/// Text that came from elsewhere, fit for a terminal: control characters become '?', so a prompt or an error
/// message cannot move the cursor or set the title.
std::string printable(std::string_view text);

}  // namespace waggle::cli

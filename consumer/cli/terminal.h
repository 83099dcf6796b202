// What is known of the terminal: whether the streams are one, how large it is, whether colour (NO_COLOR) and
// UTF-8 are wanted. Knows escape sequences for colour and for clearing a line, and nothing of what is
// printed.
#pragma once

#include <string>
#include <string_view>

namespace waggle::cli {

enum class Colour { green, red, yellow, cyan, dim, bold };

/// How many colours a terminal can be told.
enum class Palette { none, indexed, direct };  ///< direct: 24 bits

struct Terminal {
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour_out = false;  ///< standard output takes escape sequences
  bool colour_err = false;
  int width = 80;                   ///< columns
  int height = 24;                  ///< rows
  bool utf8 = false;                ///< standard output takes UTF-8; a pipe takes what comes
  Palette palette = Palette::none;  ///< of a standard output that is a terminal

  /// Asks the streams and the environment (NO_COLOR, TERM, COLORTERM, COLUMNS, LINES, LC_ALL, LC_CTYPE,
  /// LANG).
  static Terminal detect();
};

/// Columns and rows: COLUMNS and LINES where they are set, else what the terminal says, else 80 and 24.
struct TerminalSize {
  int columns = 80, rows = 24;
  bool operator==(const TerminalSize&) const = default;
};
TerminalSize terminal_size();

/// Whether the locale that the environment names writes UTF-8.
bool locale_is_utf8();

/// The text in a colour when `enabled`, else as it is.
std::string paint(bool enabled, Colour colour, std::string_view text);

/// Text that came from elsewhere, fit for a terminal: control characters become '?', so a prompt or an error
/// message cannot move the cursor or set the title. On a terminal that is not UTF-8, characters beyond ASCII
/// become '?' too.
std::string printable(std::string_view text);

/// The same where it is known what the reader takes.
std::string printable(std::string_view text, bool utf8);

}  // namespace waggle::cli

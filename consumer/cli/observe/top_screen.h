// A PoolView as lines of a screen: a pure function of the view and the size, so that tests read it as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "consumer/cli/observe/pool_view.h"
#include "consumer/cli/terminal.h"

namespace waggle::cli {

struct ScreenStyle {
  bool colour = false;
  bool keys = false;    ///< the last line tells the keys
  bool paused = false;  ///< and that nothing moves
  std::string trouble;  ///< why the view is old, in place of the second line's rates
};

/// At most `size.rows` lines of at most `size.columns` columns; `rows` 0: as many as there are.
std::vector<std::string> top_screen(const PoolView& view, TerminalSize size, const ScreenStyle& style);

/// The line cut to so many columns; colours that were on are switched off behind the cut.
std::string fitted(std::string_view line, int columns);

}  // namespace waggle::cli

// Finds out how pictures can be drawn on this terminal: by what the environment says, and by asking the
// terminal itself.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "consumer/cli/draw/draw.h"
#include "schemas/result.h"

namespace waggle::cli {

/// What a terminal says of itself.
struct Answer {
  bool sixel = false;
  int cell_width = 0, cell_height = 0;  ///< pixels, 0: it did not say
};

/// Reads the answers to kQuestion ("\033[6;20;10t\033[?62;4c"); nothing until the last one is complete.
std::optional<Answer> read_answer(std::string_view bytes);

/// Asks for the size of a character and, because every terminal answers that, for the device attributes
/// (DA1).
inline constexpr std::string_view kQuestion = "\033[16t\033[c";

/// Asks the terminal behind this descriptor and waits so long for its answer. Nothing when it does not
/// answer, when this process is in the background, or when somebody has typed ahead, which would be lost.
std::optional<Answer> ask_terminal(int terminal, std::chrono::milliseconds patience);

using Environment = std::function<std::string_view(const char* name)>;  ///< empty: not set

/// What the environment alone decides; nothing when the terminal is to be asked.
std::optional<Way> way_by_environment(const Terminal& terminal, const Environment& environment);

/// The way and the canvas for standard output.
struct Plan {
  Way way = Way::ascii;
  Canvas canvas;
};
/// `wanted` is a name of way_from_name, or nothing for what suits.
Plan plan_drawing(const Terminal& terminal, std::optional<Way> wanted);

/// "kitty", "iterm2", "sixel", "blocks", "ascii"
std::optional<Way> way_from_name(std::string_view name);
std::string_view name(Way way) noexcept;

}  // namespace waggle::cli

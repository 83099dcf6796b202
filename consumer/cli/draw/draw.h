// A picture drawn on a terminal, by whichever of five ways the terminal understands. Pure functions from
// pixels to the bytes to write; what the terminal understands is found out by draw/way.h.
#pragma once

#include <string>
#include <string_view>

#include "consumer/cli/terminal.h"
#include "pipeline/image/picture.h"

namespace waggle::cli {

enum class Way {
  kitty,   ///< the graphics protocol of kitty, ghostty and others
  iterm2,  ///< inline images of iTerm2, WezTerm and others
  sixel,   ///< DEC's, in xterm, foot, mlterm, Windows Terminal, ...
  blocks,  ///< two pixels a character: U+2580 in two colours
  ascii,   ///< characters that every terminal and every file has
};

/// Where to draw.
struct Canvas {
  int columns = 80;                       ///< at most so wide
  int rows = 0;                           ///< at most so high; 0: as high as it gets
  int cell_width = 10, cell_height = 20;  ///< pixels of a character
  Palette palette = Palette::none;        ///< for blocks and ascii
};

/// Columns and rows that a picture of this size takes: the largest of its shape that the canvas holds.
TerminalSize cells_of(int width, int height, const Canvas& canvas);

/// The bytes to write; they end in a line feed.
std::string draw(const pipeline::Picture& picture, Way way, const Canvas& canvas);

// --- The ways. The picture is RGB; `size` is what cells_of() said. ---

std::string draw_kitty(const pipeline::Picture& picture, TerminalSize size);
std::string draw_iterm2(const pipeline::Picture& picture, TerminalSize size);
/// Drawn as it is, pixel by pixel, in at most 256 colours of its own.
std::string draw_sixel(const pipeline::Picture& picture);
/// One character for two pixels, one above the other: the picture has `columns` x 2 `rows` pixels.
std::string draw_blocks(const pipeline::Picture& picture, Palette palette);
/// One character a pixel: blanks on coloured ground, or without colours signs that are as dark as the pixel.
std::string draw_ascii(const pipeline::Picture& picture, Palette palette);

}  // namespace waggle::cli

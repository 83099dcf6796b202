// Sizes, and the choice of the way.
#include "consumer/cli/draw/draw.h"

#include <algorithm>
#include <cmath>

#include "pipeline/image/pixels.h"
#include "pipeline/image/resize.h"

namespace waggle::cli {

namespace {

constexpr int kBlack = 0;
constexpr int kMostRows = 1000;  ///< of a picture that is all height
/// A picture that is sent whole may have so many pixels for each that is thought to be seen: the guess about
/// the size of a character may be low.
constexpr int kSpare = 2;

int at_least_one(double value) { return std::max(1, static_cast<int>(std::lround(value))); }

pipeline::Picture at_size(const pipeline::Picture& picture, int width, int height) {
  if (picture.width == width && picture.height == height) return picture;
  return pipeline::resize(picture, width, height);
}

/// Not larger than what can be seen of it.
pipeline::Picture to_send(const pipeline::Picture& picture, TerminalSize size, const Canvas& canvas) {
  const int width = kSpare * size.columns * canvas.cell_width,
            height = kSpare * size.rows * canvas.cell_height;
  if (picture.width <= width || picture.height <= height) return picture;
  return at_size(picture, width, height);
}

}  // namespace

TerminalSize cells_of(int width, int height, const Canvas& canvas) {
  // Rows of a picture that is one column wide.
  const double slope = static_cast<double>(height) * canvas.cell_width / width / canvas.cell_height;
  const int most_rows = canvas.rows > 0 ? canvas.rows : kMostRows;
  const double columns = std::min<double>(std::max(canvas.columns, 1), most_rows / slope);
  return {at_least_one(columns), std::min(at_least_one(columns * slope), most_rows)};
}

std::string draw(const pipeline::Picture& source, Way way, const Canvas& canvas) {
  const pipeline::Picture picture = pipeline::to_rgb(pipeline::flatten(source, kBlack));
  const TerminalSize size = cells_of(picture.width, picture.height, canvas);
  switch (way) {
    case Way::kitty:
      return draw_kitty(to_send(picture, size, canvas), size);
    case Way::iterm2:
      return draw_iterm2(to_send(picture, size, canvas), size);
    case Way::sixel:
      return draw_sixel(at_size(picture, size.columns * canvas.cell_width, size.rows * canvas.cell_height));
    case Way::blocks:
      return draw_blocks(at_size(picture, size.columns, 2 * size.rows), canvas.palette);
    case Way::ascii:
      return draw_ascii(at_size(picture, size.columns, size.rows), canvas.palette);
  }
  return {};
}

}  // namespace waggle::cli

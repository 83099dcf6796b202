// A picture as an eye would measure it: every pixel in Lab.
#pragma once

#include <vector>

#include "pipeline/image/picture.h"
#include "pipeline/training/palette.h"

namespace waggle::demo {

struct LabPicture {
  int width = 0, height = 0;
  std::vector<training::Lab> pixels;

  [[nodiscard]] const training::Lab& at(int x, int y) const {
    return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(x)];
  }
};

/// RGB or RGBA, whose alpha is left aside. Throws std::invalid_argument on anything else.
LabPicture in_lab(const pipeline::Picture& picture);

/// The middle value of each component, which a few strangers do not move.
training::Lab median(std::vector<training::Lab> colors);

/// The name of the colour that is nearest.
training::Color nearest_color(const training::Lab& color);

}  // namespace waggle::demo

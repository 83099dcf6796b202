// EXIF orientation: see pipeline/image/orientation.h.
#include "pipeline/image/orientation.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace waggle::pipeline {

Picture upright(Picture stored, int orientation) {
  if (orientation < 2 || orientation > 8) return stored;
  // From 5 on, rows and columns are exchanged; the mirrors apply to the stored picture.
  const bool transposed = orientation >= 5;
  const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;

  Picture out;
  out.width = transposed ? stored.height : stored.width;
  out.height = transposed ? stored.width : stored.height;
  out.channels = stored.channels;
  out.samples.resize(stored.samples.size());
  const auto channels = static_cast<std::size_t>(stored.channels);
  std::uint8_t* to = out.samples.data();
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x, to += channels) {
      const int column = transposed ? y : x, row = transposed ? x : y;
      const int from_x = mirror_x ? stored.width - 1 - column : column;
      const int from_y = mirror_y ? stored.height - 1 - row : row;
      const std::size_t from =
          (std::size_t(from_y) * std::size_t(stored.width) + std::size_t(from_x)) * channels;
      std::copy_n(stored.samples.data() + from, channels, to);
    }
  }
  return out;
}

}  // namespace waggle::pipeline

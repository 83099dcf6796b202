// Parts of pictures: which part an inpainting job is about, cut out and put back without touching the rest.
#pragma once

#include "pipeline/image/picture.h"

namespace waggle::pipeline {

/// A rectangle of pixels.
struct Area {
  int left = 0, top = 0, width = 0, height = 0;
  bool operator==(const Area&) const = default;
};

/// The smallest area with everything that the mask (grey, 0 keeps) paints, `padding` pixels more on each
/// side, grown to the proportions of width to height as far as the picture goes. All of it when nothing is
/// painted.
Area area_around(const Picture& mask, int padding, int width, int height);

/// Throws std::invalid_argument when the area leaves the picture.
Picture crop(const Picture& picture, const Area& area);

/// `part`, resized to the area, over `picture` (both RGB), by the mask of the whole picture: 255 shows the
/// part, 0 leaves the picture's samples as they are, to the bit. Throws std::invalid_argument on other sizes
/// or channels.
Picture paste(Picture picture, const Picture& part, const Picture& mask, const Area& area);

}  // namespace waggle::pipeline

// A scene as pixels.
#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/training/scene.h"

namespace waggle::training {

/// side * side * 3 bytes, RGB, rows from the top. Edges are smooth over one pixel. About half a millisecond
/// at 128.
std::vector<std::uint8_t> paint(const Scene& scene, int side);

/// What is behind the figures, at one point of the picture (0 .. 1, y downwards); `pixel` is the width of a
/// pixel.
Rgb ground_at(const Ground& ground, double x, double y, double pixel);

}  // namespace waggle::training

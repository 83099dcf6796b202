// What stands out from the ground, as one mask for each figure.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/demo/ground_look.h"
#include "tests/demo/lab_picture.h"

namespace waggle::demo {

/// One byte a pixel, 0 or 1.
struct Mask {
  int width = 0, height = 0;
  std::vector<std::uint8_t> set;

  [[nodiscard]] bool at(int x, int y) const {
    return x >= 0 && y >= 0 && x < width && y < height && set[index(x, y)] != 0;
  }
  [[nodiscard]] std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
  }
  [[nodiscard]] int area() const;
};

struct Box {
  int left = 0, top = 0, right = -1, bottom = -1;  ///< all inclusive

  [[nodiscard]] int width() const { return right - left + 1; }
  [[nodiscard]] int height() const { return bottom - top + 1; }
};
Box box_of(const Mask& mask);

/// Connected sets of at least so many pixels, largest first; `diagonal` lets pixels touch at their corners.
std::vector<Mask> connected(const Mask& mask, bool diagonal, double smallest = 1);

/// The mask with what it encloses.
Mask filled(const Mask& mask);

/// The mask with gaps of up to twice so many pixels closed (grown by as much, then shrunk again).
Mask closed_by(const Mask& mask, int reach);

struct Region {
  Mask mask;  ///< of the whole picture's size
  training::Lab color;
};

/// Largest first. What is smaller than half a per cent of the picture is taken for dirt.
std::vector<Region> figures_before(const GroundLook& ground, const LabPicture& picture);

}  // namespace waggle::demo

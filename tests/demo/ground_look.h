// What is behind the figures, judged by the picture's border, which figures do not reach.
#pragma once

#include <array>
#include <vector>

#include "pipeline/training/scene.h"
#include "tests/demo/lab_picture.h"

namespace waggle::demo {

struct GroundLook {
  training::GroundKind kind{};
  training::Color first{}, second{};   ///< equal when plain; of a gradient: left or top, right or bottom
  training::Direction direction{};     ///< of stripes, and of a gradient's bands of one colour
  std::array<training::Lab, 2> tones;  ///< of a plain or striped ground, measured
  std::vector<training::Lab> along;    ///< of a gradient: its colour in each column or row
  std::vector<training::Lab> seam;     ///< of stripes: what a soft edge between them goes through

  /// How far a colour is from what the ground would be there.
  [[nodiscard]] double distance_at(const training::Lab& color, int x, int y) const;
};

GroundLook look_at_ground(const LabPicture& picture);

}  // namespace waggle::demo

// A scene in words, in one of many ways. What the words leave out differs from time to time, so that a model
// learns to fill in what it is not told.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "pipeline/training/scene.h"

namespace waggle::training {

/// What the words about one figure say; its shape is always said.
struct FigureWords {
  bool color = false, size = false, outline = false;
};

struct Caption {
  std::string text;  ///< lower case, English
  std::vector<FigureWords> figures;
  bool place = false;        ///< of a single figure
  bool relation = false;     ///< of two
  bool ground_kind = false;  ///< for a plain ground: its colour
  bool ground_colors = false;
  bool ground_direction = false;
};

/// What words may leave out: anything, as people do; or only what is as people would expect it (mostly
/// medium sizes, one figure in the middle, two side by side in the order of the words, on paper: see
/// paper_for()). A model that learns from the second kind has one picture in mind where it is told little,
/// not ten at once.
enum class Silence : std::uint8_t { of_anything, of_the_usual };

Caption caption(const Scene& scene, std::mt19937_64& generator, Silence silence = Silence::of_anything);

/// The text of caption().
std::string describe(const Scene& scene, std::mt19937_64& generator, Silence silence = Silence::of_anything);

}  // namespace waggle::training

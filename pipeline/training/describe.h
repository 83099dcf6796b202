// A scene in words, in one of many ways. What the words leave out differs from time to time, so that a model
// learns to fill in what it is not told.
#pragma once

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

Caption caption(const Scene& scene, std::mt19937_64& generator);

/// The text of caption().
std::string describe(const Scene& scene, std::mt19937_64& generator);

}  // namespace waggle::training

// What a picture shows, and whether that is what words said. Plain image analysis: knows nothing of any
// model, and of the training's pictures only the names of colours and shapes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/image/picture.h"
#include "pipeline/training/describe.h"
#include "pipeline/training/scene.h"

namespace waggle::demo {

struct SeenFigure {
  std::optional<training::Shape> shape;  ///< nothing: none that has a name
  training::Color color{};
  training::Size size{};
  bool outlined = false;
  double x = 0,
         y = 0;  ///< middle of its box, as a share of the picture's side: what an eye takes for its place
};

struct Seen {
  std::vector<SeenFigure> figures;  ///< largest first
  training::GroundKind ground{};
  training::Color first{}, second{};  ///< as in training::Ground
  training::Direction direction{};
};

/// Any RGB picture of at least 16x16. Draws nothing by chance.
Seen look_at(const pipeline::Picture& picture);

/// What is not as said, in words ("the star is purple, not blue"); empty when all that the caption says of
/// the scene is there. What the caption leaves out may be anything, but the number of figures never.
std::vector<std::string> disagreements(const training::Scene& scene, const training::Caption& caption,
                                       const Seen& seen);

/// The figures alone: number, colours and shapes, wherever they are and whatever is behind them.
bool has_figures_of(const training::Scene& scene, const Seen& seen);

/// The colours of the figures and their number, whatever their shapes.
bool has_colors_of(const training::Scene& scene, const Seen& seen);

/// What the caption says of the ground, if anything.
bool has_ground_of(const training::Scene& scene, const training::Caption& caption, const Seen& seen);

/// "a big red star left of ..., striped: red, white", for people.
std::string in_words(const Seen& seen);

}  // namespace waggle::demo

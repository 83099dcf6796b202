// What a picture for the demo model shows: one or two figures before a ground, drawn by chance.
//
// Knows neither pixels (paint.h) nor words (describe.h). Some combinations of colour and shape never come up
// here, so that a model trained on these scenes can be asked for what it has not seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "pipeline/training/palette.h"

namespace waggle::training {

// Never renumber: a seed means the same pictures as long as these stay.
enum class Shape : std::uint8_t { circle, square, triangle, star, ring, cross, heart, crescent };
enum class Size : std::uint8_t { small, medium, big };
enum class Place : std::uint8_t { centre, left, right, top, bottom };
enum class Relation : std::uint8_t { left_of, right_of, above, below };
enum class GroundKind : std::uint8_t { plain, striped, gradient };
/// How stripes run; a gradient's bands of one colour run likewise, and never diagonally.
enum class Direction : std::uint8_t { horizontal, vertical, diagonal };

inline constexpr std::size_t kShapeCount = 8;

std::string_view name(Shape shape);

struct Figure {
  Shape shape{};
  Color color{};
  Size size{};
  bool outlined = false;    ///< see has_room_for_outline(): big ones, and some of the medium ones
  double x = 0.5, y = 0.5;  ///< middle of its box, as a share of the picture's side, y downwards
  double radius = 0.2;      ///< half the longer side of its box, likewise
};

struct Ground {
  GroundKind kind{};
  Color first{}, second{};  ///< equal when plain; a gradient goes from the first (left or top) to the second
  Direction direction{};
  double stripe = 0.125;  ///< width of a stripe as a share of the picture's side
};

struct Scene {
  std::vector<Figure> figures;  ///< one or two; two never touch
  Place place{};                ///< of a single figure
  Relation relation{};          ///< of the first of two figures to the second
  Ground ground;
};

/// Eight of the eighty combinations; every colour and every shape comes up in others.
bool held_out(Color color, Shape shape);

/// A scene without a held-out combination. Every figure stands out from the ground behind it.
Scene random_scene(std::mt19937_64& generator);
/// Whichever of two random scenes has the smaller figure: small ones, and two at once, are the last to come
/// out right.
Scene harder_scene(std::mt19937_64& generator);
/// What figures are drawn on if nobody says anything else: white; black or another colour where one of them
/// would not stand out from that.
Color paper_for(const std::vector<Figure>& figures);
/// The same scene on such paper, half the time with figures that white is none for.
Scene scene_on_paper(std::mt19937_64& generator);
/// A scene whose first figure is a held-out combination; a second one, if there is one, is not.
Scene held_out_scene(std::mt19937_64& generator);

}  // namespace waggle::training

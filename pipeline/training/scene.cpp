// Draws scenes: first what they show, then where exactly.
#include "pipeline/training/scene.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipeline/training/dice.h"

namespace waggle::training {
namespace {

constexpr std::array<std::string_view, kShapeCount> kShapeNames{"circle", "square", "triangle", "star",
                                                                "ring",   "cross",  "heart",    "crescent"};

/// One colour for each shape, in the order of Shape.
constexpr std::array<Color, kShapeCount> kHeldOut{Color::purple, Color::cyan, Color::orange, Color::blue,
                                                  Color::green,  Color::pink, Color::yellow, Color::red};

constexpr double kSingleShare = 0.7;     ///< of the scenes
constexpr double kOutlinedShare = 0.25;  ///< of the figures that can be outlined
constexpr double kMargin = 0.03;         ///< between a figure's box and the picture's edge
constexpr double kGap = 0.06;            ///< between the boxes of two figures
constexpr double kContrast = 40;         ///< in Lab, between a figure and any part of the ground

Color any_color(Dice& dice) { return static_cast<Color>(dice.below(kColorCount)); }

double radius_of(Size size, Dice& dice) {
  constexpr std::array<double, 3> kRadius{0.155, 0.205, 0.265};
  return kRadius[static_cast<std::size_t>(size)] * dice.between(0.96, 1.04);
}

Figure seen_kind(Dice& dice) {
  Figure figure;
  do {
    figure.color = any_color(dice);
    figure.shape = static_cast<Shape>(dice.below(kShapeCount));
  } while (held_out(figure.color, figure.shape));
  return figure;
}

Figure held_out_kind(Dice& dice) {
  Figure figure;
  figure.shape = static_cast<Shape>(dice.below(kShapeCount));
  figure.color = kHeldOut[static_cast<std::size_t>(figure.shape)];
  return figure;
}

/// Whether the hole inside an outline is wide enough to be seen. A circle's outline would be a ring.
bool has_room_for_outline(Shape shape, Size size) {
  if (shape == Shape::circle || shape == Shape::ring || size == Size::small) return false;
  return size == Size::big || shape == Shape::square || shape == Shape::triangle || shape == Shape::heart;
}

void size_figure(Figure& figure, Size size, Dice& dice) {
  figure.size = size;
  figure.radius = radius_of(size, dice);
  figure.outlined = dice.chance(kOutlinedShare) && has_room_for_outline(figure.shape, size);
}

double inside(double at, double radius) { return std::clamp(at, radius + kMargin, 1 - radius - kMargin); }

void place_single(Scene& scene, Dice& dice) {
  Figure& figure = scene.figures[0];
  size_figure(figure, static_cast<Size>(dice.below(3)), dice);
  scene.place = static_cast<Place>(dice.below(5));
  double x = 0.5, y = 0.5;
  if (scene.place == Place::left) x = 0.26;
  if (scene.place == Place::right) x = 0.74;
  if (scene.place == Place::top) y = 0.26;
  if (scene.place == Place::bottom) y = 0.74;
  figure.x = inside(x + dice.between(-0.03, 0.03), figure.radius);
  figure.y = inside(y + dice.between(-0.03, 0.03), figure.radius);
}

/// Two figures beside each other leave no room for a big one unless the other is small.
std::pair<Size, Size> sizes_of_two(Dice& dice) {
  static constexpr std::array<std::pair<Size, Size>, 6> kPairs{{{Size::small, Size::small},
                                                                {Size::small, Size::medium},
                                                                {Size::medium, Size::small},
                                                                {Size::medium, Size::medium},
                                                                {Size::small, Size::big},
                                                                {Size::big, Size::small}}};
  return dice.one_of(kPairs);
}

void place_two(Scene& scene, Dice& dice) {
  const auto [first, second] = sizes_of_two(dice);
  size_figure(scene.figures[0], first, dice);
  size_figure(scene.figures[1], second, dice);
  scene.relation = static_cast<Relation>(dice.below(4));
  const bool across = scene.relation == Relation::left_of || scene.relation == Relation::right_of;
  const bool in_order = scene.relation == Relation::left_of || scene.relation == Relation::above;
  Figure& low = scene.figures[in_order ? 0 : 1];
  Figure& high = scene.figures[in_order ? 1 : 0];

  // What both boxes and the gap leave free is shared out by chance around an even spacing.
  const double slack = 1 - 2 * kMargin - kGap - 2 * (low.radius + high.radius);
  const double before = slack * dice.between(0.25, 0.45), between = slack * dice.between(0.2, 0.4);
  const double low_at = kMargin + before + low.radius;
  const double high_at = low_at + low.radius + kGap + between + high.radius;
  for (auto [figure, at] : {std::pair{&low, low_at}, std::pair{&high, high_at}}) {
    const double beside = inside(0.5 + dice.between(-0.06, 0.06), figure->radius);
    figure->x = across ? at : beside;
    figure->y = across ? beside : at;
  }
}

bool stands_out(Color figure, const Ground& ground) {
  const Lab color = to_lab(rgb(figure));
  if (ground.kind != GroundKind::gradient) {
    return distance(color, to_lab(rgb(ground.first))) > kContrast &&
           distance(color, to_lab(rgb(ground.second))) > kContrast;
  }
  for (int i = 0; i <= 16; ++i) {
    if (distance(color, to_lab(mix(rgb(ground.first), rgb(ground.second), i / 16.0))) <= kContrast)
      return false;
  }
  return true;
}

Ground any_ground(Dice& dice) {
  Ground ground;
  const double kind = dice.between(0, 1);
  ground.kind = kind < 0.6 ? GroundKind::plain : kind < 0.8 ? GroundKind::striped : GroundKind::gradient;
  ground.first = ground.second = any_color(dice);
  if (ground.kind == GroundKind::plain) return ground;
  while (ground.second == ground.first) ground.second = any_color(dice);
  ground.direction = static_cast<Direction>(dice.below(ground.kind == GroundKind::striped ? 3 : 2));
  static constexpr std::array<double, 3> kWidths{0.125, 1.0 / 6, 0.2};
  ground.stripe = dice.one_of(kWidths);
  return ground;
}

Scene scene_around(Figure first, Dice& dice) {
  Scene scene;
  scene.figures.push_back(first);
  if (dice.chance(kSingleShare)) {
    place_single(scene, dice);
  } else {
    do {
      scene.figures.resize(1);
      scene.figures.push_back(seen_kind(dice));
    } while (scene.figures[1].color == first.color && scene.figures[1].shape == first.shape);
    place_two(scene, dice);
  }
  do {
    scene.ground = any_ground(dice);
  } while (!std::all_of(scene.figures.begin(), scene.figures.end(),
                        [&](const Figure& figure) { return stands_out(figure.color, scene.ground); }));
  return scene;
}

double smallest_radius(const Scene& scene) {
  return std::ranges::min_element(scene.figures, {}, &Figure::radius)->radius;
}

}  // namespace

std::string_view name(Shape shape) { return kShapeNames[static_cast<std::size_t>(shape)]; }

bool held_out(Color color, Shape shape) { return kHeldOut[static_cast<std::size_t>(shape)] == color; }

Scene random_scene(std::mt19937_64& generator) {
  Dice dice(generator);
  return scene_around(seen_kind(dice), dice);
}

Scene harder_scene(std::mt19937_64& generator) {
  Scene first = random_scene(generator), second = random_scene(generator);
  return smallest_radius(second) < smallest_radius(first) ? second : first;
}

Color paper_for(const std::vector<Figure>& figures) {
  static constexpr std::array<Color, 5> kPapers{Color::white, Color::black, Color::cyan, Color::orange,
                                                Color::purple};
  const auto suits = [&](Color paper) {
    const Ground ground{GroundKind::plain, paper, paper};
    return std::ranges::all_of(figures,
                               [&](const Figure& figure) { return stands_out(figure.color, ground); });
  };
  return *std::ranges::find_if(kPapers, suits);  // no two colours are close to all of them
}

Scene scene_on_paper(std::mt19937_64& generator) {
  Dice dice(generator);
  Scene scene;
  Color paper{};
  const bool not_white = dice.chance(0.5);
  do {
    scene = random_scene(generator);
    paper = paper_for(scene.figures);
  } while (not_white && paper == Color::white);
  scene.ground = {GroundKind::plain, paper, paper};
  return scene;
}

Scene held_out_scene(std::mt19937_64& generator) {
  Dice dice(generator);
  return scene_around(held_out_kind(dice), dice);
}

}  // namespace waggle::training

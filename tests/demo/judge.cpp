// Turns regions into figures with names, and holds them against what a caption says.
#include "tests/demo/judge.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "tests/demo/contour.h"
#include "tests/demo/ground_look.h"
#include "tests/demo/lab_picture.h"
#include "tests/demo/regions.h"

namespace waggle::demo {
namespace {

using training::GroundKind;
using training::Place;
using training::Relation;
using training::Shape;
using training::Size;

constexpr double kHole = 0.07;        ///< share of the filled figure; less is dirt
constexpr double kSquareSide = 0.88;  ///< a square's half side beside the radius of other shapes of its size
constexpr double kSmall = 0.179, kBig = 0.233;  ///< half sides of boxes, halfway between the sizes
constexpr double kOffCentre = 0.085;            ///< share of the side

double hole_in(const Mask& mask, const Mask& whole) {
  return 1 - static_cast<double>(mask.area()) / whole.area();
}

/// The mask, its gaps closed when only that gives it a hole: an outline with a break of a pixel or two is
/// still an outline to the eye.
Mask without_breaks(const Mask& mask) {
  if (hole_in(mask, filled(mask)) > kHole) return mask;
  Mask closed = closed_by(mask, std::max(1, mask.width / 64));
  return hole_in(closed, filled(closed)) > kHole ? closed : mask;
}

SeenFigure seen_figure(const Region& region) {
  const Mask mask = without_breaks(region.mask), whole = filled(mask);
  const double hole = hole_in(mask, whole);
  SeenFigure figure;
  figure.shape = silhouette(measures(whole));
  figure.color = nearest_color(region.color);
  if (figure.shape == Shape::circle) {
    if (hole > kHole) figure.shape = Shape::ring;
  } else {
    figure.outlined = hole > kHole;
  }
  const Box box = box_of(whole);
  figure.x = (box.left + box.right + 1) / 2.0 / whole.width;
  figure.y = (box.top + box.bottom + 1) / 2.0 / whole.height;
  double radius = std::max(box.width(), box.height()) / 2.0 / whole.width;
  if (figure.shape == Shape::square) radius /= kSquareSide;
  figure.size = radius < kSmall ? Size::small : radius < kBig ? Size::medium : Size::big;
  return figure;
}

std::string_view size_name(Size size) {
  return size == Size::small ? "small" : size == Size::medium ? "medium" : "big";
}

std::string shape_name(const std::optional<Shape>& shape) {
  return shape ? std::string(training::name(*shape)) : "nameless shape";
}

/// Where something is that is off by this much; nothing when it is between two places.
std::optional<Place> place_of(double dx, double dy) {
  const double across = std::abs(dx), down = std::abs(dy);
  if (across < kOffCentre && down < kOffCentre) return Place::centre;
  if (across > down) return dx < 0 ? Place::left : Place::right;
  return dy < 0 ? Place::top : Place::bottom;
}

constexpr std::array<Place, 4> kPlaceInRelation{Place::left, Place::right, Place::top, Place::bottom};
constexpr std::array<std::string_view, 5> kPlaces{"in the centre", "on the left", "on the right",
                                                  "at the top", "at the bottom"};
constexpr std::array<std::string_view, 3> kGrounds{"plain", "striped", "gradient"};
constexpr std::array<std::string_view, 3> kDirections{"horizontal", "vertical", "diagonal"};

void compare(const training::Figure& wanted, const training::FigureWords& said, const SeenFigure& seen,
             std::vector<std::string>& wrong) {
  const std::string what = "the " + shape_name(wanted.shape);
  if (seen.shape != wanted.shape) wrong.push_back(what + " is a " + shape_name(seen.shape));
  if (said.color && seen.color != wanted.color) {
    wrong.push_back(what + " is " + std::string(name(seen.color)) + ", not " +
                    std::string(name(wanted.color)));
  }
  if (said.size && seen.size != wanted.size) {
    wrong.push_back(what + " is " + std::string(size_name(seen.size)) + ", not " +
                    std::string(size_name(wanted.size)));
  }
  if (said.outline && seen.outlined != wanted.outlined) {
    wrong.push_back(what + (wanted.outlined ? " is filled" : " is outlined"));
  }
}

void compare_places(const training::Scene& scene, const training::Caption& caption,
                    const std::vector<const SeenFigure*>& seen, std::vector<std::string>& wrong) {
  const bool two = seen.size() == 2;
  if (two ? !caption.relation : !caption.place) return;
  const Place wanted = two ? kPlaceInRelation[static_cast<std::size_t>(scene.relation)] : scene.place;
  const auto found = two ? place_of(seen[0]->x - seen[1]->x, seen[0]->y - seen[1]->y)
                         : place_of(seen[0]->x - 0.5, seen[0]->y - 0.5);
  if (found == wanted) return;
  wrong.push_back("the " + shape_name(scene.figures[0].shape) + " is not " +
                  std::string(kPlaces[static_cast<std::size_t>(wanted)]));
}

void compare_ground(const training::Ground& wanted, const training::Caption& caption, const Seen& seen,
                    std::vector<std::string>& wrong) {
  if (!caption.ground_kind) return;
  if (seen.ground != wanted.kind) {
    wrong.push_back("the ground is " + std::string(kGrounds[static_cast<std::size_t>(seen.ground)]) +
                    ", not " + std::string(kGrounds[static_cast<std::size_t>(wanted.kind)]));
    return;
  }
  const bool same = seen.first == wanted.first && seen.second == wanted.second;
  const bool swapped = seen.first == wanted.second && seen.second == wanted.first;
  // Neither of two stripes comes first.
  if (caption.ground_colors && !same && !(swapped && wanted.kind == GroundKind::striped)) {
    wrong.push_back("the ground is " + std::string(name(seen.first)) + " and " +
                    std::string(name(seen.second)) + ", not " + std::string(name(wanted.first)) + " and " +
                    std::string(name(wanted.second)));
  }
  if (caption.ground_direction && seen.direction != wanted.direction) {
    wrong.push_back("the ground is " + std::string(kDirections[static_cast<std::size_t>(seen.direction)]) +
                    ", not " + std::string(kDirections[static_cast<std::size_t>(wanted.direction)]));
  }
}

std::vector<std::string> compare_all(const training::Scene& scene, const training::Caption& caption,
                                     const std::vector<const SeenFigure*>& order, const Seen& seen) {
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < order.size(); ++i)
    compare(scene.figures[i], caption.figures[i], *order[i], wrong);
  compare_places(scene, caption, order, wrong);
  compare_ground(scene.ground, caption, seen, wrong);
  return wrong;
}

}  // namespace

Seen look_at(const pipeline::Picture& picture) {
  const LabPicture lab = in_lab(picture);
  const GroundLook ground = look_at_ground(lab);
  Seen seen{{}, ground.kind, ground.first, ground.second, ground.direction};
  for (const Region& region : figures_before(ground, lab)) seen.figures.push_back(seen_figure(region));
  return seen;
}

std::vector<std::string> disagreements(const training::Scene& scene, const training::Caption& caption,
                                       const Seen& seen) {
  if (seen.figures.size() != scene.figures.size()) {
    return {std::to_string(seen.figures.size()) + " figures, not " + std::to_string(scene.figures.size())};
  }
  // Which of two seen figures is which is not known: the reading with fewer faults is the fair one.
  std::vector<const SeenFigure*> order;
  for (const SeenFigure& figure : seen.figures) order.push_back(&figure);
  std::vector<std::string> wrong = compare_all(scene, caption, order, seen);
  std::reverse(order.begin(), order.end());
  std::vector<std::string> other = compare_all(scene, caption, order, seen);
  return other.size() < wrong.size() ? other : wrong;
}

bool has_figures_of(const training::Scene& scene, const Seen& seen) {
  training::Caption only_figures;
  only_figures.figures.assign(scene.figures.size(), {.color = true});
  return disagreements(scene, only_figures, seen).empty();
}

bool has_colors_of(const training::Scene& scene, const Seen& seen) {
  return std::is_permutation(scene.figures.begin(), scene.figures.end(), seen.figures.begin(),
                             seen.figures.end(),
                             [](const auto& one, const auto& other) { return one.color == other.color; });
}

bool has_ground_of(const training::Scene& scene, const training::Caption& caption, const Seen& seen) {
  std::vector<std::string> wrong;
  compare_ground(scene.ground, caption, seen, wrong);
  return wrong.empty();
}

std::string in_words(const Seen& seen) {
  std::string words;
  for (const SeenFigure& figure : seen.figures) {
    words.append(size_name(figure.size)).append(figure.outlined ? " outlined " : " ");
    words.append(name(figure.color)).append(" ").append(shape_name(figure.shape));
    const auto place = place_of(figure.x - 0.5, figure.y - 0.5);
    if (place) words.append(" ").append(kPlaces[static_cast<std::size_t>(*place)]);
    words.append("; ");
  }
  words.append(kGrounds[static_cast<std::size_t>(seen.ground)]).append(" ").append(name(seen.first));
  if (seen.ground != GroundKind::plain) words.append(" and ").append(name(seen.second));
  return words;
}

}  // namespace waggle::demo

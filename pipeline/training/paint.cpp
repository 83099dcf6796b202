// Paints the ground, then each figure within its box, by how far a pixel's middle is from the figure's edge.
#include "pipeline/training/paint.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "pipeline/training/figure_distance.h"

namespace waggle::training {
namespace {

/// An outline's width as a share of the picture's side: nearly one latent pixel of a model that sees an
/// eighth of the pixels.
constexpr double kOutline = 0.06;

/// How much of a pixel is covered whose middle is this far (in pixels) outside an edge.
double covered(double pixels_outside) { return std::clamp(0.5 - pixels_outside, 0.0, 1.0); }

double position_along(Direction direction, double x, double y) {
  switch (direction) {
    case Direction::horizontal:
      return y;
    case Direction::vertical:
      return x;
    case Direction::diagonal:
      return (x + y) * std::numbers::sqrt2 / 2;
  }
  return x;
}

Rgb stripes_at(const Ground& ground, double x, double y, double pixel) {
  const double period = 2 * ground.stripe;
  const double at = position_along(ground.direction, x, y);
  const double phase = at - period * std::floor(at / period);
  // Distance to the middle of the second colour's stripe, less half its width: negative inside that stripe.
  const double outside = std::abs(phase - 1.5 * ground.stripe) - ground.stripe / 2;
  const double wrapped =
      std::min(outside, std::abs(phase + period - 1.5 * ground.stripe) - ground.stripe / 2);
  return mix(rgb(ground.first), rgb(ground.second), covered(wrapped / pixel));
}

std::uint8_t to_byte(double value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

void put(std::uint8_t* pixel, Rgb color) {
  pixel[0] = to_byte(color.r);
  pixel[1] = to_byte(color.g);
  pixel[2] = to_byte(color.b);
}

void paint_figure(const Figure& figure, int side, std::vector<std::uint8_t>& picture) {
  const auto edge = [&](double at) {
    return std::clamp(static_cast<int>(std::floor(at * side)), 0, side - 1);
  };
  const double reach = figure.radius * 1.05 + 1.0 / side;
  const double radius_pixels = figure.radius * side, outline = kOutline / figure.radius;
  for (int row = edge(figure.y - reach); row <= edge(figure.y + reach); ++row) {
    for (int column = edge(figure.x - reach); column <= edge(figure.x + reach); ++column) {
      const double x = ((column + 0.5) / side - figure.x) / figure.radius;
      const double y = ((row + 0.5) / side - figure.y) / figure.radius;
      double outside = figure_distance(figure.shape, x, y);
      if (figure.outlined) outside = std::abs(outside + outline / 2) - outline / 2;
      const double share = covered(outside * radius_pixels);
      if (share <= 0) continue;
      std::uint8_t* pixel = picture.data() + 3 * (static_cast<std::size_t>(row) * side + column);
      put(pixel,
          mix({static_cast<double>(pixel[0]), static_cast<double>(pixel[1]), static_cast<double>(pixel[2])},
              rgb(figure.color), share));
    }
  }
}

}  // namespace

Rgb ground_at(const Ground& ground, double x, double y, double pixel) {
  switch (ground.kind) {
    case GroundKind::plain:
      return rgb(ground.first);
    case GroundKind::striped:
      return stripes_at(ground, x, y, pixel);
    case GroundKind::gradient:
      return mix(rgb(ground.first), rgb(ground.second), position_along(ground.direction, x, y));
  }
  return {};
}

std::vector<std::uint8_t> paint(const Scene& scene, int side) {
  std::vector<std::uint8_t> picture(static_cast<std::size_t>(side) * side * 3);
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      put(picture.data() + 3 * (static_cast<std::size_t>(row) * side + column),
          ground_at(scene.ground, (column + 0.5) / side, (row + 0.5) / side, 1.0 / side));
    }
  }
  for (const Figure& figure : scene.figures) paint_figure(figure, side, picture);
  return picture;
}

}  // namespace waggle::training

// The eight figures as signed distance functions: polygons, circles, and what they unite to.
#include "pipeline/training/figure_distance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

namespace waggle::training {
namespace {

struct Point {
  double x, y;
};

double dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }

/// Distance to the nearest edge, its sign by the number of edges that a ray to the right crosses.
double polygon(std::span<const Point> corners, Point p) {
  double nearest = 1e9;
  bool inside = false;
  for (std::size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
    const Point a = corners[i], b = corners[j];
    const Point edge{b.x - a.x, b.y - a.y}, to{p.x - a.x, p.y - a.y};
    const double t = std::clamp(dot(to, edge) / dot(edge, edge), 0.0, 1.0);
    const Point off{to.x - edge.x * t, to.y - edge.y * t};
    nearest = std::min(nearest, dot(off, off));
    if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside ? -std::sqrt(nearest) : std::sqrt(nearest);
}

double box(Point p, double half_width, double half_height) {
  const double x = std::abs(p.x) - half_width, y = std::abs(p.y) - half_height;
  return std::hypot(std::max(x, 0.0), std::max(y, 0.0)) + std::min(std::max(x, y), 0.0);
}

double disc(Point p, Point middle, double radius) {
  return std::hypot(p.x - middle.x, p.y - middle.y) - radius;
}

double triangle(Point p) {
  static constexpr std::array<Point, 3> kCorners{{{0, -0.92}, {1, 0.82}, {-1, 0.82}}};
  return polygon(kCorners, p);
}

double star(Point p) {
  static const std::array<Point, 10> corners = [] {
    std::array<Point, 10> made{};
    for (std::size_t i = 0; i < made.size(); ++i) {
      const double angle = static_cast<double>(i) * std::numbers::pi / 5, radius = i % 2 == 0 ? 1.05 : 0.44;
      made[i] = {radius * std::sin(angle), 0.08 - radius * std::cos(angle)};
    }
    return made;
  }();
  return polygon(corners, p);
}

/// The middle of two crossing bars is a corner pair of neither, so the union's inner distances would pinch an
/// outline.
double cross(Point p) {
  constexpr double kArm = 0.34, kLong = 0.96;
  static constexpr std::array<Point, 12> kCorners{{{-kArm, -kLong},
                                                   {kArm, -kLong},
                                                   {kArm, -kArm},
                                                   {kLong, -kArm},
                                                   {kLong, kArm},
                                                   {kArm, kArm},
                                                   {kArm, kLong},
                                                   {-kArm, kLong},
                                                   {-kArm, kArm},
                                                   {-kLong, kArm},
                                                   {-kLong, -kArm},
                                                   {-kArm, -kArm}}};
  return polygon(kCorners, p);
}

/// A square on its corner with a half disc on each of its upper sides.
double heart(Point p) {
  constexpr double kHalfDiagonal = 0.83, kLift = 0.086;
  constexpr double kHalfSide = kHalfDiagonal * std::numbers::sqrt2 / 2;
  const Point lifted{p.x, p.y - kLift};
  const Point turned{(lifted.x + lifted.y) * std::numbers::sqrt2 / 2,
                     (lifted.y - lifted.x) * std::numbers::sqrt2 / 2};
  const Point side{std::abs(lifted.x), lifted.y};
  return std::min(box(turned, kHalfSide, kHalfSide),
                  disc(side, {kHalfDiagonal / 2, -kHalfDiagonal / 2}, kHalfSide));
}

/// A disc less another that is shifted to the right; moved so that its box is centred.
double crescent(Point p) {
  const Point moved{p.x - 0.2, p.y};
  return std::max(disc(moved, {0, 0}, 1), -disc(moved, {0.42, 0}, 0.82));
}

}  // namespace

double figure_distance(Shape shape, double x, double y) {
  const Point p{x, y};
  switch (shape) {
    case Shape::circle:
      return disc(p, {0, 0}, 1);
    case Shape::square:
      return box(p, 0.88, 0.88);
    case Shape::triangle:
      return triangle(p);
    case Shape::star:
      return star(p);
    case Shape::ring:
      return std::abs(std::hypot(x, y) - 0.76) - 0.24;
    case Shape::cross:
      return cross(p);
    case Shape::heart:
      return heart(p);
    case Shape::crescent:
      return crescent(p);
  }
  return 1;
}

}  // namespace waggle::training

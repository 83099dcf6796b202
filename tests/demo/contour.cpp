// The measures of an outline, and the table of what they are for each silhouette.
#include "tests/demo/contour.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <utility>
#include <vector>

namespace waggle::demo {
namespace {

using training::Shape;
using Point = std::pair<double, double>;

double cross(const Point& origin, const Point& one, const Point& other) {
  return (one.first - origin.first) * (other.second - origin.second) -
         (one.second - origin.second) * (other.first - origin.first);
}

/// Of the pixels' corners, by Andrew's monotone chain: rows come in order, so only the ends of each matter.
double hull_area(const Mask& mask, const Box& box) {
  std::vector<Point> points;
  for (int y = box.top; y <= box.bottom; ++y) {
    int first = -1, last = -1;
    for (int x = box.left; x <= box.right; ++x) {
      if (!mask.at(x, y)) continue;
      if (first < 0) first = x;
      last = x + 1;
    }
    if (first < 0) continue;
    for (const int row : {y, y + 1}) {
      points.emplace_back(first, row);
      points.emplace_back(last, row);
    }
  }
  std::sort(points.begin(), points.end());
  std::vector<Point> hull;
  for (int pass = 0; pass < 2; ++pass) {
    const std::size_t start = hull.size();
    for (const Point& point : points) {
      while (hull.size() >= start + 2 && cross(hull[hull.size() - 2], hull.back(), point) <= 0)
        hull.pop_back();
      hull.push_back(point);
    }
    hull.pop_back();
    std::reverse(points.begin(), points.end());
  }
  double twice = 0;
  for (std::size_t i = 0; i < hull.size(); ++i) twice += cross({0, 0}, hull[i], hull[(i + 1) % hull.size()]);
  return std::abs(twice) / 2;
}

/// Share of the mask that a mirror image about the middle of its box covers.
double symmetry(const Mask& mask, const Box& box, bool left_right) {
  int both = 0, all = 0;
  for (int y = box.top; y <= box.bottom; ++y) {
    for (int x = box.left; x <= box.right; ++x) {
      if (!mask.at(x, y)) continue;
      ++all;
      both += left_right ? mask.at(box.left + box.right - x, y) : mask.at(x, box.top + box.bottom - y);
    }
  }
  return static_cast<double>(both) / all;
}

/// The distance of the farthest pixel from the centroid in each direction.
class Radii {
 public:
  Radii(const Mask& mask, const Box& box) {
    double count = 0, x_sum = 0, y_sum = 0;
    for (int y = box.top; y <= box.bottom; ++y) {
      for (int x = box.left; x <= box.right; ++x) {
        if (!mask.at(x, y)) continue;
        count += 1;
        x_sum += x;
        y_sum += y;
      }
    }
    for (int y = box.top; y <= box.bottom; ++y) {
      for (int x = box.left; x <= box.right; ++x) {
        if (mask.at(x, y)) note(x - x_sum / count, y - y_sum / count);
      }
    }
  }

  [[nodiscard]] double largest() const { return *std::max_element(radii_.begin(), radii_.end()); }
  [[nodiscard]] double wave(int times) const {
    std::complex<double> sum;
    double mean = 0;
    for (std::size_t i = 0; i < kDirections; ++i) {
      sum += std::polar(radii_[i], times * 2 * std::numbers::pi * static_cast<double>(i) / kDirections);
      mean += radii_[i];
    }
    return 2 * std::abs(sum) / mean;
  }

 private:
  static constexpr std::size_t kDirections = 48;

  void note(double x, double y) {
    const double turn = std::atan2(y, x) / (2 * std::numbers::pi) + 1;
    double& radius = radii_[static_cast<std::size_t>(turn * kDirections) % kDirections];
    radius = std::max(radius, std::hypot(x, y) + 0.5);
  }

  std::array<double, kDirections> radii_{};
};

struct Prototype {
  Shape shape;
  std::array<double, kMeasureCount> mean;
};

/// Measured on clean drawings of the three sizes; a deviation is what blur, noise and few pixels do to them.
constexpr std::array<Prototype, 7> kPrototypes{{
    {Shape::circle, {0.972, 0.785, 0.959, 0.992, 0.994, 0.002, 0.002, 0.002}},
    {Shape::square, {1.000, 1.000, 0.646, 1.000, 1.000, 0.000, 0.156, 0.000}},
    {Shape::triangle, {0.946, 0.511, 0.418, 0.986, 0.510, 0.303, 0.004, 0.004}},
    {Shape::star, {0.534, 0.376, 0.398, 0.980, 0.606, 0.010, 0.009, 0.377}},
    {Shape::cross, {0.736, 0.582, 0.656, 0.991, 0.994, 0.011, 0.287, 0.001}},
    {Shape::heart, {0.956, 0.674, 0.672, 0.989, 0.674, 0.151, 0.022, 0.044}},
    {Shape::crescent, {0.503, 0.432, 0.257, 0.263, 0.981, 0.416, 0.177, 0.026}},
}};
constexpr std::array<double, kMeasureCount> kDeviation{0.03, 0.035, 0.04, 0.03, 0.03, 0.035, 0.035, 0.035};
constexpr double kTooStrange = 4.0;

}  // namespace

std::array<double, kMeasureCount> measures(const Mask& mask) {
  const Box box = box_of(mask);
  const double area = mask.area();
  const Radii radii(mask, box);
  return {area / hull_area(mask, box),
          area / (static_cast<double>(box.width()) * box.height()),
          area / (std::numbers::pi * radii.largest() * radii.largest()),
          symmetry(mask, box, true),
          symmetry(mask, box, false),
          radii.wave(3),
          radii.wave(4),
          radii.wave(5)};
}

double strangeness(const std::array<double, kMeasureCount>& measured, Shape shape) {
  for (const Prototype& prototype : kPrototypes) {
    if (prototype.shape != shape) continue;
    double sum = 0;
    for (std::size_t i = 0; i < kMeasureCount; ++i) {
      sum += std::pow((measured[i] - prototype.mean[i]) / kDeviation[i], 2);
    }
    return std::sqrt(sum / kMeasureCount);
  }
  return 1e9;
}

std::optional<Shape> silhouette(const std::array<double, kMeasureCount>& measured) {
  const auto nearest =
      std::min_element(kPrototypes.begin(), kPrototypes.end(), [&](const auto& one, const auto& other) {
        return strangeness(measured, one.shape) < strangeness(measured, other.shape);
      });
  if (strangeness(measured, nearest->shape) > kTooStrange) return std::nullopt;
  return nearest->shape;
}

}  // namespace waggle::demo

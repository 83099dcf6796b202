// The table of colours, and sRGB to Lab after IEC 61966-2-1 and CIE 15.
#include "pipeline/training/palette.h"

#include <cmath>

namespace waggle::training {
namespace {

struct Row {
  std::string_view name;
  Rgb rgb;
};

constexpr std::array<Row, kColorCount> kRows{{
    {"red", {224, 28, 36}},
    {"orange", {255, 138, 0}},
    {"yellow", {255, 226, 30}},
    {"green", {24, 150, 54}},
    {"cyan", {40, 214, 230}},
    {"blue", {26, 66, 226}},
    {"purple", {122, 24, 150}},
    {"pink", {255, 146, 200}},
    {"white", {250, 250, 250}},
    {"black", {16, 16, 16}},
}};

double linear(double value) {
  const double v = value / 255;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

double cube_root_or_line(double t) {
  return t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

}  // namespace

Rgb rgb(Color color) { return kRows[static_cast<std::size_t>(color)].rgb; }

std::string_view name(Color color) { return kRows[static_cast<std::size_t>(color)].name; }

Lab to_lab(Rgb color) {
  const double r = linear(color.r), g = linear(color.g), b = linear(color.b);
  const double x = cube_root_or_line((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const double y = cube_root_or_line(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
  const double z = cube_root_or_line((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

double distance(Lab one, Lab other) { return std::hypot(one.l - other.l, one.a - other.a, one.b - other.b); }

Rgb mix(Rgb from, Rgb to, double share) {
  return {from.r + (to.r - from.r) * share, from.g + (to.g - from.g) * share,
          from.b + (to.b - from.b) * share};
}

}  // namespace waggle::training

// The ten colours of the demo pictures, and how far two colours are apart for an eye.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace waggle::training {

/// Never renumber: a seed means the same pictures as long as these stay.
enum class Color : std::uint8_t { red, orange, yellow, green, cyan, blue, purple, pink, white, black };
inline constexpr std::size_t kColorCount = 10;

/// sRGB, 0 .. 255.
struct Rgb {
  double r = 0, g = 0, b = 0;
};

/// CIE 1976 L*a*b*, white point D65. Equal distances look about equally large; 2 is just visible.
struct Lab {
  double l = 0, a = 0, b = 0;
};

/// Any two are at least 38 apart in Lab.
Rgb rgb(Color color);
std::string_view name(Color color);
Lab to_lab(Rgb color);
double distance(Lab one, Lab other);
/// `from` at 0, `to` at 1, mixed in sRGB, as a gradient is painted.
Rgb mix(Rgb from, Rgb to, double share);

}  // namespace waggle::training

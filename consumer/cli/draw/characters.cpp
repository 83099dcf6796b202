// Pictures made of characters. An escape sequence is written only where the colour changes, and each line
// ends in plain colours, so that a resized window or a pager does not smear.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "consumer/cli/draw/draw.h"

namespace waggle::cli {

namespace {

using Pixel = std::array<int, 3>;

constexpr std::string_view kUpperHalf = "\u2580";
constexpr std::string_view kReset = "\033[0m";
/// From empty to full, for light letters on a dark ground.
constexpr std::string_view kRamp = " .:-=+*#%@";

Pixel pixel(const pipeline::Picture& picture, int x, int y) {
  const auto at = 3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
                       static_cast<std::size_t>(x));
  return {picture.samples[at], picture.samples[at + 1], picture.samples[at + 2]};
}

int distance(const Pixel& a, const Pixel& b) {
  int sum = 0;
  for (std::size_t i = 0; i < 3; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/// The nearest of xterm's colours 16 to 255: a cube of 6x6x6, and 24 greys.
int indexed(const Pixel& colour) {
  constexpr std::array kLevels{0, 95, 135, 175, 215, 255};
  Pixel steps{}, cube{};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto nearest = std::min_element(kLevels.begin(), kLevels.end(), [&](int a, int b) {
      return std::abs(a - colour[i]) < std::abs(b - colour[i]);
    });
    steps[i] = static_cast<int>(nearest - kLevels.begin());
    cube[i] = *nearest;
  }
  const int grey = std::clamp(((colour[0] + colour[1] + colour[2]) / 3 - 3) / 10, 0, 23);
  const int light = 8 + 10 * grey;
  if (distance(colour, {light, light, light}) < distance(colour, cube)) return 232 + grey;
  return 16 + 36 * steps[0] + 6 * steps[1] + steps[2];
}

/// "38;2;255;0;0" or "48;5;196"
std::string code(bool ground, const Pixel& colour, Palette palette) {
  const std::string head = ground ? "48;" : "38;";
  if (palette == Palette::indexed) return head + "5;" + std::to_string(indexed(colour));
  return head + "2;" + std::to_string(colour[0]) + ";" + std::to_string(colour[1]) + ";" +
         std::to_string(colour[2]);
}

/// Characters of one line with their colours.
class Line {
 public:
  void add(const std::string& colours, std::string_view character) {
    if (colours != colours_) text_ += "\033[" + colours + "m";
    colours_ = colours;
    text_ += character;
  }
  std::string finished() { return text_ + (colours_.empty() ? "" : std::string(kReset)) + "\n"; }

 private:
  std::string text_, colours_;
};

char shade(const Pixel& colour) {
  // Luma by ITU-R 601, out of 255000.
  const int luma = 299 * colour[0] + 587 * colour[1] + 114 * colour[2];
  const auto last = static_cast<int>(kRamp.size()) - 1;
  return kRamp[static_cast<std::size_t>((luma * last + 127'500) / 255'000)];
}

}  // namespace

std::string draw_blocks(const pipeline::Picture& picture, Palette palette) {
  std::string out;
  for (int y = 0; y + 1 < picture.height; y += 2) {
    Line line;
    for (int x = 0; x < picture.width; ++x) {
      const Pixel upper = pixel(picture, x, y), lower = pixel(picture, x, y + 1);
      line.add(code(false, upper, palette) + ";" + code(true, lower, palette), kUpperHalf);
    }
    out += line.finished();
  }
  return out;
}

std::string draw_ascii(const pipeline::Picture& picture, Palette palette) {
  std::string out;
  for (int y = 0; y < picture.height; ++y) {
    Line line;
    for (int x = 0; x < picture.width; ++x) {
      const Pixel colour = pixel(picture, x, y);
      if (palette == Palette::none) {
        line.add("", std::string(1, shade(colour)));
      } else {
        line.add(code(true, colour, palette), " ");
      }
    }
    out += line.finished();
  }
  return out;
}

}  // namespace waggle::cli

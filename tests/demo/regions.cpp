// A pixel belongs to a figure when it is far from the ground; then, with the figure's own colour known, when
// it is nearer to that than to the ground, which puts the edge where the figure covers half a pixel.
#include "tests/demo/regions.h"

#include <algorithm>
#include <array>
#include <utility>

namespace waggle::demo {
namespace {

using training::distance;
using training::Lab;

constexpr double kStandsOut = 17;          ///< in Lab
constexpr double kOutOfGradient = 27;      ///< likewise: a gradient's tones are less sure than a flat colour
constexpr double kSmallestFigure = 0.005;  ///< share of the picture

Mask empty_like(const LabPicture& picture) {
  return {picture.width, picture.height, std::vector<std::uint8_t>(picture.pixels.size(), 0)};
}

Mask grown(const Mask& mask, int reach) {
  Mask wide = mask;
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      if (!mask.at(x, y)) continue;
      for (int v = std::max(0, y - reach); v <= std::min(mask.height - 1, y + reach); ++v) {
        for (int u = std::max(0, x - reach); u <= std::min(mask.width - 1, x + reach); ++u)
          wide.set[wide.index(u, v)] = 1;
      }
    }
  }
  return wide;
}

/// Where two stripes meet: a mixture of the tones, with both of them at most a few pixels away.
bool is_seam(const GroundLook& ground, const LabPicture& picture, int x, int y, int reach) {
  const bool mixed = std::any_of(ground.seam.begin(), ground.seam.end(), [&](const Lab& color) {
    return distance(picture.at(x, y), color) < kStandsOut;
  });
  if (!mixed) return false;
  bool near[2] = {false, false};
  for (int v = std::max(0, y - reach); v <= std::min(picture.height - 1, y + reach); ++v) {
    for (int u = std::max(0, x - reach); u <= std::min(picture.width - 1, x + reach); ++u) {
      for (std::size_t i = 0; i < 2; ++i) near[i] |= distance(picture.at(u, v), ground.tones[i]) < kStandsOut;
    }
  }
  return near[0] && near[1];
}

Mask standing_out(const GroundLook& ground, const LabPicture& picture) {
  const int reach = std::max(2, picture.width / 42);
  const double least = ground.kind == training::GroundKind::gradient ? kOutOfGradient : kStandsOut;
  Mask mask = empty_like(picture);
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      if (ground.distance_at(picture.at(x, y), x, y) <= least) continue;
      if (ground.kind == training::GroundKind::striped && is_seam(ground, picture, x, y, reach)) continue;
      mask.set[mask.index(x, y)] = 1;
    }
  }
  return mask;
}

/// Of the third of the pixels that is farthest from the ground: the others are the more or less mixed with
/// it.
Lab color_of(const Mask& mask, const GroundLook& ground, const LabPicture& picture) {
  std::vector<std::pair<double, Lab>> found;
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      const Lab& at = picture.at(x, y);
      if (mask.at(x, y)) found.emplace_back(ground.distance_at(at, x, y), at);
    }
  }
  const auto third = found.begin() + static_cast<std::ptrdiff_t>((found.size() + 2) / 3);
  std::partial_sort(found.begin(), third, found.end(),
                    [](const auto& one, const auto& other) { return one.first > other.first; });
  std::vector<Lab> colors;
  for (auto at = found.begin(); at != third; ++at) colors.push_back(at->second);
  return median(std::move(colors));
}

Mask sharpened(const Mask& rough, const Lab& color, const GroundLook& ground, const LabPicture& picture) {
  Mask mask = grown(rough, std::max(1, picture.width / 100));
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      const Lab& at = picture.at(x, y);
      if (mask.at(x, y) && distance(at, color) >= ground.distance_at(at, x, y))
        mask.set[mask.index(x, y)] = 0;
    }
  }
  return mask;
}

}  // namespace

int Mask::area() const { return static_cast<int>(std::count(set.begin(), set.end(), std::uint8_t{1})); }

Box box_of(const Mask& mask) {
  Box box{mask.width, mask.height, -1, -1};
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      if (!mask.at(x, y)) continue;
      box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x), std::max(box.bottom, y)};
    }
  }
  return box;
}

std::vector<Mask> connected(const Mask& mask, bool diagonal, double smallest) {
  std::vector<Mask> found;
  std::vector<std::uint8_t> left = mask.set;
  std::vector<std::pair<int, int>> open;
  std::vector<std::size_t> members;
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      if (left[mask.index(x, y)] == 0) continue;
      members.clear();
      open.assign(1, {x, y});
      left[mask.index(x, y)] = 0;
      while (!open.empty()) {
        const auto [px, py] = open.back();
        open.pop_back();
        members.push_back(mask.index(px, py));
        for (int v = std::max(0, py - 1); v <= std::min(mask.height - 1, py + 1); ++v) {
          for (int u = std::max(0, px - 1); u <= std::min(mask.width - 1, px + 1); ++u) {
            if ((!diagonal && u != px && v != py) || left[mask.index(u, v)] == 0) continue;
            left[mask.index(u, v)] = 0;
            open.emplace_back(u, v);
          }
        }
      }
      if (static_cast<double>(members.size()) < smallest) continue;
      Mask part{mask.width, mask.height, std::vector<std::uint8_t>(mask.set.size(), 0)};
      for (const std::size_t member : members) part.set[member] = 1;
      found.push_back(std::move(part));
    }
  }
  std::sort(found.begin(), found.end(),
            [](const Mask& one, const Mask& other) { return one.area() > other.area(); });
  return found;
}

Mask filled(const Mask& mask) {
  Mask outside = mask;
  for (std::uint8_t& pixel : outside.set) pixel = pixel == 0 ? 1 : 0;
  Mask whole = mask;
  for (const Mask& part : connected(outside, false)) {
    const Box box = box_of(part);
    if (box.left == 0 || box.top == 0 || box.right == mask.width - 1 || box.bottom == mask.height - 1)
      continue;
    for (std::size_t i = 0; i < part.set.size(); ++i) whole.set[i] |= part.set[i];
  }
  return whole;
}

Mask closed_by(const Mask& mask, int reach) {
  // Shrinking is growing what is around; what lies beyond the picture's edge does not grow into it.
  Mask around = grown(mask, reach);
  for (std::uint8_t& pixel : around.set) pixel = pixel == 0 ? 1 : 0;
  Mask closed = grown(around, reach);
  for (std::uint8_t& pixel : closed.set) pixel = pixel == 0 ? 1 : 0;
  return closed;
}

std::vector<Region> figures_before(const GroundLook& ground, const LabPicture& picture) {
  const double smallest = kSmallestFigure * static_cast<double>(picture.pixels.size());
  std::vector<Region> regions;
  for (const Mask& rough : connected(standing_out(ground, picture), true, smallest)) {
    const Lab color = color_of(rough, ground, picture);
    const std::vector<Mask> parts = connected(sharpened(rough, color, ground, picture), true, smallest);
    if (!parts.empty()) regions.push_back({parts[0], color});
  }
  return regions;
}

}  // namespace waggle::demo

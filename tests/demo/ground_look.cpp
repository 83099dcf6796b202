// Two tones that take turns, one tone, or tones that change along one way: tried in this order.
#include "tests/demo/ground_look.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace waggle::demo {
namespace {

using training::distance;
using training::Lab;

constexpr double kSameTone = 13;        ///< in Lab: noise and blur stay below it, two named colours above
constexpr double kPlainShare = 0.72;    ///< of the border; a figure may touch one side
constexpr double kTwoTonesShare = 0.6;  ///< of the border; the rest are soft edges
constexpr int kTurnsOfStripes = 5;      ///< around the border; a gradient has two

Lab mean(const LabPicture& picture, int x0, int y0, int x1, int y1) {
  Lab sum;
  for (int y = y0; y <= y1; ++y) {
    for (int x = x0; x <= x1; ++x) {
      const Lab& at = picture.at(x, y);
      sum.l += at.l;
      sum.a += at.a;
      sum.b += at.b;
    }
  }
  const double count = (x1 - x0 + 1.0) * (y1 - y0 + 1.0);
  return {sum.l / count, sum.a / count, sum.b / count};
}

/// The four sides, each from left to right or top to bottom, noise taken out by averaging over their depth.
struct Border {
  std::vector<Lab> top, bottom, left, right;

  [[nodiscard]] std::vector<Lab> all() const {
    std::vector<Lab> joined;
    for (const auto* side : {&top, &bottom, &left, &right})
      joined.insert(joined.end(), side->begin(), side->end());
    return joined;
  }
};

Border border_of(const LabPicture& picture) {
  const int width = picture.width, height = picture.height, depth = std::max(2, width / 50);
  Border border;
  for (int x = 0; x < width; ++x) {
    border.top.push_back(mean(picture, x, 0, x, depth - 1));
    border.bottom.push_back(mean(picture, x, height - depth, x, height - 1));
  }
  for (int y = 0; y < height; ++y) {
    border.left.push_back(mean(picture, 0, y, depth - 1, y));
    border.right.push_back(mean(picture, width - depth, y, width - 1, y));
  }
  return border;
}

double share_near(const std::vector<Lab>& colors, const Lab& tone) {
  const auto near = std::count_if(colors.begin(), colors.end(),
                                  [&](const Lab& color) { return distance(color, tone) < kSameTone; });
  return static_cast<double>(near) / static_cast<double>(colors.size());
}

/// Two tones that the colours lie around: k-means that starts from one colour and the farthest from it, and
/// ends with medians, so that blurred edges do not pull.
std::array<Lab, 2> two_tones(const std::vector<Lab>& colors) {
  const auto farthest = [&](const Lab& from) {
    return *std::max_element(colors.begin(), colors.end(), [&](const Lab& one, const Lab& other) {
      return distance(one, from) < distance(other, from);
    });
  };
  std::array<Lab, 2> tones{farthest(colors.front()), {}};
  tones[1] = farthest(tones[0]);
  for (int round = 0; round < 6; ++round) {
    std::array<std::vector<Lab>, 2> members;
    for (const Lab& color : colors) {
      members[distance(color, tones[0]) <= distance(color, tones[1]) ? 0 : 1].push_back(color);
    }
    for (std::size_t i = 0; i < 2; ++i) {
      if (!members[i].empty()) tones[i] = median(members[i]);
    }
  }
  return tones;
}

/// How often a walk along a side passes from clearly one tone to clearly the other.
int turns(const std::vector<Lab>& side, const std::array<Lab, 2>& tones) {
  const double apart = distance(tones[0], tones[1]);
  int count = 0, last = -1;
  for (const Lab& color : side) {
    const double lead = distance(color, tones[1]) - distance(color, tones[0]);
    if (std::abs(lead) < 0.4 * apart) continue;
    const int now = lead > 0 ? 0 : 1;
    if (last >= 0 && now != last) ++count;
    last = now;
  }
  return count;
}

/// Stripes are asked for first: five of them, an odd one out, can leave four fifths of the border to one
/// tone.
bool take_turns(const Border& border, const std::vector<Lab>& all, const std::array<Lab, 2>& tones) {
  if (distance(tones[0], tones[1]) < 2 * kSameTone) return false;
  if (share_near(all, tones[0]) + share_near(all, tones[1]) < kTwoTonesShare) return false;
  int count = 0;
  for (const auto* side : {&border.top, &border.bottom, &border.left, &border.right})
    count += turns(*side, tones);
  return count >= kTurnsOfStripes;
}

GroundLook striped(const Border& border, const std::array<Lab, 2>& tones) {
  const int across = turns(border.top, tones) + turns(border.bottom, tones);
  const int down = turns(border.left, tones) + turns(border.right, tones);
  GroundLook look;
  look.kind = training::GroundKind::striped;
  look.tones = tones;
  look.first = nearest_color(tones[0]);
  look.second = nearest_color(tones[1]);
  for (int i = 0; i <= 8; ++i) look.seam.push_back(to_lab(mix(rgb(look.first), rgb(look.second), i / 8.0)));
  look.direction = across >= 4 * std::max(1, down)   ? training::Direction::vertical
                   : down >= 4 * std::max(1, across) ? training::Direction::horizontal
                                                     : training::Direction::diagonal;
  return look;
}

/// The colours that two facing sides agree on, smoothed over a few neighbours.
std::vector<Lab> shared(const std::vector<Lab>& one, const std::vector<Lab>& other) {
  const int size = static_cast<int>(one.size()), reach = std::max(1, size / 40);
  std::vector<Lab> along;
  for (int i = 0; i < size; ++i) {
    std::vector<Lab> around;
    for (int j = std::max(0, i - reach); j <= std::min(size - 1, i + reach); ++j) {
      around.push_back(one[static_cast<std::size_t>(j)]);
      around.push_back(other[static_cast<std::size_t>(j)]);
    }
    along.push_back(median(around));
  }
  return along;
}

GroundLook gradient(const Border& border) {
  const auto change = [](const std::vector<Lab>& side) { return distance(side.front(), side.back()); };
  const bool across = change(border.top) + change(border.bottom) > change(border.left) + change(border.right);
  GroundLook look;
  look.kind = training::GroundKind::gradient;
  look.direction = across ? training::Direction::vertical : training::Direction::horizontal;
  look.along = across ? shared(border.top, border.bottom) : shared(border.left, border.right);
  look.first = nearest_color(look.along.front());
  look.second = nearest_color(look.along.back());
  return look;
}

}  // namespace

double GroundLook::distance_at(const Lab& color, int x, int y) const {
  if (kind == training::GroundKind::gradient) {
    return distance(color,
                    along[static_cast<std::size_t>(direction == training::Direction::vertical ? x : y)]);
  }
  return std::min(distance(color, tones[0]), distance(color, tones[1]));
}

GroundLook look_at_ground(const LabPicture& picture) {
  const Border border = border_of(picture);
  const std::vector<Lab> all = border.all();
  const std::array<Lab, 2> tones = two_tones(all);
  if (take_turns(border, all, tones)) return striped(border, tones);
  const Lab tone = median(all);
  if (share_near(all, tone) < kPlainShare) return gradient(border);
  GroundLook look;
  look.tones = {tone, tone};
  look.first = look.second = nearest_color(tone);
  return look;
}

}  // namespace waggle::demo

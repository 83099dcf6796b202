// Bends, blurs, tints and roughens a picture, in this order, without rounding in between.
#include "tests/demo/degrade.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "pipeline/training/dice.h"

namespace waggle::demo {
namespace {

using training::Dice;

/// Three planes of doubles, which the flaws are added to without rounding in between.
struct Planes {
  int width, height;
  std::vector<double> values;

  double& at(int channel, int x, int y) {
    const int u = std::clamp(x, 0, width - 1), v = std::clamp(y, 0, height - 1);
    return values[static_cast<std::size_t>((channel * height + v) * width + u)];
  }
  double between(int channel, double x, double y) {
    const int u = static_cast<int>(std::floor(x)), v = static_cast<int>(std::floor(y));
    const double a = x - u, b = y - v;
    return (at(channel, u, v) * (1 - a) + at(channel, u + 1, v) * a) * (1 - b) +
           (at(channel, u, v + 1) * (1 - a) + at(channel, u + 1, v + 1) * a) * b;
  }
};

Planes bent(Planes source, double reach, Dice& dice) {
  // Two waves for each direction, a few to a picture.
  std::array<std::array<double, 3>, 4> waves{};
  for (auto& wave : waves)
    wave = {dice.between(-0.25, 0.25), dice.between(-0.25, 0.25), dice.between(0, 6.3)};
  const auto field = [&](std::size_t first, int x, int y) {
    double sum = 0;
    for (std::size_t i = first; i < first + 2; ++i)
      sum += std::sin(waves[i][0] * x + waves[i][1] * y + waves[i][2]);
    return sum / 2 * reach;
  };
  Planes result = source;
  for (int y = 0; y < source.height; ++y) {
    for (int x = 0; x < source.width; ++x) {
      for (int c = 0; c < 3; ++c)
        result.at(c, x, y) = source.between(c, x + field(0, x, y), y + field(2, x, y));
    }
  }
  return result;
}

Planes blurred(Planes source, double sigma) {
  const int reach = static_cast<int>(std::ceil(3 * sigma));
  std::vector<double> weights;
  double total = 0;
  for (int i = -reach; i <= reach; ++i) total += weights.emplace_back(std::exp(-i * i / (2 * sigma * sigma)));
  Planes pass = source;
  for (const bool across : {true, false}) {
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < source.height; ++y) {
        for (int x = 0; x < source.width; ++x) {
          double sum = 0;
          for (int i = -reach; i <= reach; ++i) {
            sum += weights[static_cast<std::size_t>(i + reach)] *
                   source.at(c, x + (across ? i : 0), y + (across ? 0 : i));
          }
          pass.at(c, x, y) = sum / total;
        }
      }
    }
    source = pass;
  }
  return source;
}

}  // namespace

pipeline::Picture degraded(const pipeline::Picture& picture, const Flaws& flaws, std::mt19937_64& generator) {
  Dice dice(generator);
  Planes planes{picture.width, picture.height, std::vector<double>(picture.samples.size())};
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      for (int c = 0; c < 3; ++c)
        planes.at(c, x, y) = picture.samples[static_cast<std::size_t>((y * picture.width + x) * 3 + c)];
    }
  }
  if (flaws.wobble > 0) planes = bent(std::move(planes), flaws.wobble, dice);
  if (flaws.blur > 0) planes = blurred(std::move(planes), flaws.blur);
  pipeline::Picture result = picture;
  const std::array<double, 3> shift{dice.between(-flaws.shift, flaws.shift),
                                    dice.between(-flaws.shift, flaws.shift),
                                    dice.between(-flaws.shift, flaws.shift)};
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const double value =
            planes.at(c, x, y) + shift[static_cast<std::size_t>(c)] + dice.between(-flaws.noise, flaws.noise);
        result.samples[static_cast<std::size_t>((y * picture.width + x) * 3 + c)] =
            static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
      }
    }
  }
  return result;
}

}  // namespace waggle::demo

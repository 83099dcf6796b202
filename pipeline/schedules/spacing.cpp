// Rounding is half to even (std::nearbyint in the default mode), as in the arrays that models were published
// with.
#include "pipeline/schedules/spacing.h"

#include <algorithm>
#include <cmath>

namespace waggle::pipeline {
namespace {

/// 0..last evenly in `points` points, descending; a single point is 0.
std::vector<double> evenly(int points, double last) {
  std::vector<double> out;
  for (int i = points - 1; i >= 0; --i)
    out.push_back(points == 1 ? 0.0 : (i == points - 1 ? last : i * (last / (points - 1))));
  return out;
}

}  // namespace

std::vector<double> rounded_if_distinct(std::vector<double> timesteps) {
  std::vector<double> rounded = timesteps;
  for (double& t : rounded) t = std::nearbyint(t);
  return std::adjacent_find(rounded.begin(), rounded.end()) == rounded.end() ? rounded : timesteps;
}

std::vector<double> spaced_timesteps(Spacing spacing, Grid grid, int n, int train_timesteps, int offset) {
  std::vector<double> out;
  const int points = grid == Grid::multistep ? n + 1 : n;
  switch (spacing) {
    case Spacing::linspace:
      out = evenly(points, train_timesteps - 1);
      out.resize(static_cast<std::size_t>(n));
      if (grid != Grid::fractional) out = rounded_if_distinct(std::move(out));
      break;
    case Spacing::leading: {
      const int ratio = train_timesteps / points;
      if (ratio == 0) return {};
      // An offset that would lead beyond the table is cut.
      const int shift = std::min(offset, train_timesteps - 1 - (points - 1) * ratio);
      for (int i = 0; i < n; ++i) out.push_back((points - 1 - i) * ratio + shift);
      break;
    }
    case Spacing::trailing: {
      // Exactly n points: counting down "while above 0" yields one too many for some n (61, 103, ...).
      const double ratio = static_cast<double>(train_timesteps) / n;
      for (int i = 0; i < n; ++i) out.push_back(std::nearbyint(train_timesteps - i * ratio) - 1.0);
      break;
    }
  }
  for (double& t : out) t = std::clamp<double>(t, 0.0, train_timesteps - 1);
  return out;
}

std::vector<double> distilled_timesteps(int n, int train_timesteps, int distilled_points, double strength) {
  const int k = train_timesteps / distilled_points;
  const int points = static_cast<int>(distilled_points * strength);
  std::vector<double> out;
  if (n > points) return out;
  for (int i = 0; i < n; ++i) {
    const int skipped = static_cast<int>(std::floor(i * (static_cast<double>(points) / n)));
    out.push_back((points - skipped) * k - 1);
  }
  return out;
}

}  // namespace waggle::pipeline

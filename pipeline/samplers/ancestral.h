// How an ancestral step splits: a deterministic part down to sigma_down, and fresh noise of sigma_up on top
// of it.
#pragma once

#include <algorithm>
#include <cmath>

namespace waggle::pipeline {

struct AncestralStep {
  double down;
  double up;
};

/// down^2 + up^2 = to^2, with the variance of DDPM's posterior: up^2 = to^2 (from^2 - to^2) / from^2.
inline AncestralStep ancestral_step(double from, double to) {
  const double variance = to * to * (from * from - to * to) / (from * from);
  const double up = std::min(to, std::sqrt(std::max(variance, 0.0)));
  return {std::sqrt(std::max(to * to - up * up, 0.0)), up};
}

}  // namespace waggle::pipeline

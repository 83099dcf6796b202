// The shape of an autoencoder, as its config.json gives it. Builds nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/models/config.h"

namespace waggle::pipeline {

struct VaeConfig {
  std::int64_t in_channels, out_channels, latent_channels;
  std::vector<std::int64_t> widths;  ///< channels per level, finest first
  std::int64_t layers_per_block;
  int groups;
  double scaling_factor;
  bool force_upcast;  ///< decode in fp32 even when the rest runs in half precision

  /// Throws LoadError naming file and key.
  static VaeConfig from(const Config& config);
  /// Pixels per latent cell and side.
  [[nodiscard]] std::int64_t factor() const { return std::int64_t{1} << (widths.size() - 1); }
};

}  // namespace waggle::pipeline

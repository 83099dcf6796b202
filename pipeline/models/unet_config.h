// The shape of a UNet, or of the half of one that a ControlNet is, as its config.json gives it. Builds
// nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/models/config.h"

namespace waggle::pipeline {

struct UNetConfig {
  std::int64_t in_channels, out_channels;
  std::vector<std::int64_t> widths;              ///< channels per level
  std::vector<bool> down_attention;              ///< per level: cross attention in the down path
  std::vector<bool> up_attention;                ///< per level of the up path, from the deepest
  std::vector<std::int64_t> heads;               ///< per level
  std::vector<std::int64_t> transformer_layers;  ///< per level
  std::int64_t layers_per_block;
  std::int64_t context_width;
  int groups;
  double norm_eps;
  bool linear_projection;
  bool flip_sin_to_cos;
  double freq_shift;
  std::int64_t added_width = 0;       ///< SDXL: width of pooled text and embedded sizes together; 0: none
  std::int64_t added_time_width = 0;  ///< SDXL: width of one embedded size
  std::int64_t sample_size = 64;      ///< latent cells of the training size

  /// All of these throw LoadError naming file and key.
  static UNetConfig from(const Config& config);
  /// The down path and the middle alone; `up_attention` and `out_channels` mean nothing.
  static UNetConfig down_path_from(const Config& config);
  [[nodiscard]] std::int64_t time_width() const { return 4 * widths.front(); }
};

}  // namespace waggle::pipeline

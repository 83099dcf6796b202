// The residual block of the UNet and of the VAE (He et al. 2016, pre-activation, with a time embedding in the
// UNet).
#pragma once

#include <optional>

#include "pipeline/models/layers.h"
#include "pipeline/models/shared_moments.h"

namespace waggle::pipeline {

class ResnetBlock {
 public:
  /// `time_width` 0: no time embedding (VAE).
  ResnetBlock(const Builder& build, std::int64_t in, std::int64_t out, std::int64_t time_width, int groups,
              double eps);

  /// **Shape**: x [B, in, h, w], time [B, time_width] already through SiLU (ignored by a block without) ->
  /// [B, out, h, w].
  /// `moments`: what to normalise by, when `x` is a tile.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, const at::Tensor& time = {},
                                   SharedMoments* moments = nullptr) const;

 private:
  GroupNorm norm1_;
  Convolution conv1_;
  std::optional<Linear> time_emb_proj_;
  GroupNorm norm2_;
  Convolution conv2_;
  std::optional<Convolution> conv_shortcut_;
};

}  // namespace waggle::pipeline

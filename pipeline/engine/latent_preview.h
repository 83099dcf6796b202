// A linear map from latents to colours, for previews: one 8x8 cell becomes one pixel.
//
// The map is fitted to the model's own decoder once (least squares over decoded random latents), so it suits
// any VAE without a table of coefficients.
#pragma once

#include <ATen/core/Tensor.h>

#include "pipeline/image/picture.h"
#include "pipeline/models/stable_diffusion.h"

namespace waggle::pipeline {

class LatentPreview {
 public:
  /// Decodes a small field of random latents (generator seed 0): about one tenth of a 512x512 decode.
  explicit LatentPreview(const StableDiffusion& model);
  /// **Shape**: [1, C, h, w] in the VAE's scale (before division by the scaling factor) -> RGB of w x h
  /// pixels.
  [[nodiscard]] Picture render(const at::Tensor& latents) const;

 private:
  at::Tensor map_;  ///< [C + 1, 3]: colour per channel, then the offset
};

/// **Shape**: [1, 3, H, W] fp32 in 0..1 -> RGB. **Range**: round(255 x), as diffusers writes pictures.
Picture to_picture(const at::Tensor& image);

}  // namespace waggle::pipeline

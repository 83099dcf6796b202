// The denoising UNet (Rombach et al. 2022; Podell et al. 2023 for SDXL's size and pooled-text conditioning),
// named as diffusers' UNet2DConditionModel names its parts.
#pragma once

#include <optional>
#include <vector>

#include "pipeline/models/unet_down.h"

namespace waggle::pipeline {

/// What ControlNets add to a UNet's down path, scaled already. No skips: nothing is added.
struct Residuals {
  std::vector<at::Tensor> skips;  ///< one per skip connection, in order: [B, C, h, w]
  at::Tensor mid;
};

class UNet {
 public:
  UNet(const Builder& build, const UNetConfig& config);

  /// **Shape**: text [B, L, context_width]; pooled [B, P] and sizes [B, 6] for SDXL, else undefined.
  [[nodiscard]] UNetContext prepare(const at::Tensor& text, const at::Tensor& pooled = {},
                                    const at::Tensor& sizes = {}) const;

  /// The raw prediction. **Shape**: sample [B, in, h, w], t [B] fp32 in training timesteps (fractions
  /// allowed), one per sample -> [B, out, h, w] fp32. h and w may be any; up-sampling aims at the skip
  /// connection's size.
  /// **Source**: golden `unet.out.*`.
  [[nodiscard]] at::Tensor forward(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                                   const Residuals& residuals = {}, const Probe& probe = {}) const;

  [[nodiscard]] const UNetConfig& config() const { return config_; }

 private:
  struct Up {
    std::vector<ResnetBlock> resnets;
    std::vector<Transformer2D> attentions;  // empty or one per resnet
    std::optional<Convolution> upsampler;
  };
  void build_up(const Builder& build);

  UNetConfig config_;
  const ops::Operations* ops_;
  UNetDown down_;
  std::vector<Up> up_blocks_;
  GroupNorm conv_norm_out_;
  Convolution conv_out_;
};

}  // namespace waggle::pipeline

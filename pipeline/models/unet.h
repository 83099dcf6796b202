// The denoising UNet (Rombach et al. 2022; Podell et al. 2023 for SDXL's size and pooled-text conditioning),
// named as diffusers' UNet2DConditionModel names its parts.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "pipeline/models/unet_down.h"

namespace waggle::pipeline {

/// What ControlNets add to a UNet's down path, scaled already. No skips: nothing is added.
struct Residuals {
  std::vector<at::Tensor> skips;  ///< one per skip connection, in order: [B, C, h, w]
  at::Tensor mid;
};

/// How a call departs from the network as it was trained. By default it does not.
struct UNetCall {
  double merged = 0.0;         ///< share of the finest tokens that is merged before self attention, 0..0.75
  at::Tensor* deep = nullptr;  ///< where to leave what the deep levels gave, for UNet::outermost
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
                                   const Residuals& residuals = {}, const Probe& probe = {},
                                   const UNetCall& call = {}) const;
  /// The raw prediction of the outermost layers alone, over what the deep levels gave at another step (Ma et
  /// al. 2024, "DeepCache"): all but one of the finest level's layers that go down, as many that go up, and
  /// what is before and behind them. **Shape**: as forward; deep [B, C, h, w] as forward left it, rows of
  /// several calls put together at will.
  [[nodiscard]] at::Tensor outermost(const at::Tensor& sample, const at::Tensor& t,
                                     const UNetContext& context, const at::Tensor& deep,
                                     const Probe& probe = {}, double merged = 0.0) const;

  [[nodiscard]] const UNetConfig& config() const { return config_; }

 private:
  struct Up {
    std::vector<ResnetBlock> resnets;
    std::vector<Transformer2D> attentions;  // empty or one per resnet
    std::optional<Convolution> upsampler;
  };
  void build_up(const Builder& build);
  /// Layers of the last up block that outermost() runs.
  [[nodiscard]] std::size_t outermost_layers() const {
    return static_cast<std::size_t>(std::max<std::int64_t>(1, config_.layers_per_block));
  }
  /// One layer of an up block; takes the last skip away.
  [[nodiscard]] at::Tensor run_layer(std::size_t block, std::size_t layer, at::Tensor x, double merged,
                                     UNetDown::Features& features) const;
  [[nodiscard]] at::Tensor predict(at::Tensor x, const Probe& probe) const;

  UNetConfig config_;
  const ops::Operations* ops_;
  UNetDown down_;
  std::vector<Up> up_blocks_;
  GroupNorm conv_norm_out_;
  Convolution conv_out_;
};

}  // namespace waggle::pipeline

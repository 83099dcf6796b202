// The denoising UNet (Rombach et al. 2022; Podell et al. 2023 for SDXL's size and pooled-text conditioning),
// named as diffusers' UNet2DConditionModel names its parts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/models/config.h"
#include "pipeline/models/resnet.h"
#include "pipeline/models/transformer.h"

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

  static UNetConfig from(const Config& config);
  [[nodiscard]] std::int64_t time_width() const { return 4 * widths.front(); }
};

/// What the text (and SDXL's sizes) become inside the UNet. Valid for one composition of a batch.
struct UNetContext {
  std::vector<KeysValues> text;  ///< one entry per cross attention, in order of use
  at::Tensor added;              ///< [B, time_width]: added to the time embedding; undefined without
};

/// Sinusoidal embedding (Vaswani et al. 2017). **Shape**: t [B] fp32 -> [B, width] fp32; cosines first when
/// `flip`.
at::Tensor sinusoidal_embedding(const at::Tensor& t, std::int64_t width, bool flip, double freq_shift);

class UNet {
 public:
  UNet(const Builder& build, const UNetConfig& config);

  /// **Shape**: text [B, L, context_width]; pooled [B, P] and sizes [B, 6] for SDXL, else undefined.
  [[nodiscard]] UNetContext prepare(const at::Tensor& text, const at::Tensor& pooled = {},
                                    const at::Tensor& sizes = {}) const;

  /// Sees the output of each named part, to bisect a mismatch ("conv_in", "down_blocks.0", "mid_block", ...).
  using Probe = std::function<void(const std::string& part, const at::Tensor& output)>;

  /// The raw prediction. **Shape**: sample [B, in, h, w], t [B] fp32 in training timesteps (fractions
  /// allowed), one per sample -> [B, out, h, w] fp32. h and w may be any; up-sampling aims at the skip
  /// connection's size.
  /// **Source**: golden `unet.out.*`.
  [[nodiscard]] at::Tensor forward(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                                   const Probe& probe = {}) const;

  [[nodiscard]] const UNetConfig& config() const { return config_; }

 private:
  struct Down {
    std::vector<ResnetBlock> resnets;
    std::vector<Transformer2D> attentions;  // empty or one per resnet
    std::optional<Convolution> downsampler;
  };
  struct Up {
    std::vector<ResnetBlock> resnets;
    std::vector<Transformer2D> attentions;
    std::optional<Convolution> upsampler;
  };
  struct Mlp {
    Linear linear_1, linear_2;
    at::Tensor operator()(const ops::Operations& ops, const at::Tensor& x) const {
      return linear_2(ops.silu(linear_1(x)));
    }
  };
  static Mlp mlp(const Builder& build, std::int64_t in, std::int64_t width);
  [[nodiscard]] Transformer2D transformer(const Builder& build, std::size_t level) const;
  void build_down(const Builder& build);
  void build_up(const Builder& build);

  UNetConfig config_;
  const ops::Operations* ops_;
  Convolution conv_in_;
  Mlp time_embedding_;
  std::optional<Mlp> add_embedding_;
  std::vector<Down> down_blocks_;
  ResnetBlock mid_first_;
  Transformer2D mid_attention_;
  ResnetBlock mid_second_;
  std::vector<Up> up_blocks_;
  GroupNorm conv_norm_out_;
  Convolution conv_out_;
};

}  // namespace waggle::pipeline

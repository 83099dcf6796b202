// The half of the UNet that goes down, with the middle: what the ControlNet is a trained copy of.
//
// Makes the features that the up path (pipeline/models/unet.h) or a ControlNet's outputs start from; predicts
// nothing itself. Parts are named as diffusers' UNet2DConditionModel names them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/models/resnet.h"
#include "pipeline/models/transformer.h"
#include "pipeline/models/unet_config.h"

namespace waggle::pipeline {

/// What the text (and SDXL's sizes) become inside the UNet. Valid for one composition of a batch.
struct UNetContext {
  std::vector<KeysValues> text;  ///< one entry per cross attention, in order of use
  at::Tensor added;              ///< [B, time_width]: added to the time embedding; undefined without
};

/// Sees the output of each named part, to bisect a mismatch ("conv_in", "down_blocks.0", "mid_block", ...).
using Probe = std::function<void(const std::string& part, const at::Tensor& output)>;

/// Sinusoidal embedding (Vaswani et al. 2017). **Shape**: t [B] fp32 -> [B, width] fp32; cosines first when
/// `flip`.
at::Tensor sinusoidal_embedding(const at::Tensor& t, std::int64_t width, bool flip, double freq_shift);

/// The finest level that has attention: where tokens are merged.
std::size_t merging_level(const UNetConfig& config);

/// The transformer of one level, as both paths have it.
Transformer2D level_transformer(const Builder& build, const UNetConfig& config, std::size_t level);

class UNetDown {
 public:
  UNetDown(const Builder& build, const UNetConfig& config);

  /// The entries of the down path and the middle, in order of use. **Shape**: text [B, L, context_width];
  /// pooled [B, P] and sizes [B, 6] for SDXL, else undefined.
  [[nodiscard]] UNetContext prepare(const at::Tensor& text, const at::Tensor& pooled,
                                    const at::Tensor& sizes) const;

  struct Features {
    std::vector<at::Tensor> skips;  ///< [B, C, h, w] each, in order of making
    at::Tensor mid;
    at::Tensor time;                               ///< [B, time_width] through SiLU, as resnets take it
    std::vector<KeysValues>::const_iterator text;  ///< where the up path goes on
  };
  /// `hint`: added to the output of conv_in (a ControlNet's embedded picture); undefined: nothing. `merged`:
  /// share of the finest tokens that is merged before self attention.
  [[nodiscard]] Features forward(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                                 const at::Tensor& hint = {}, const Probe& probe = {},
                                 double merged = 0.0) const;
  /// The first `layers` layers of the finest level alone: features without `mid`, whose `text` is behind what
  /// these layers used. `layers` is at most layers_per_block.
  [[nodiscard]] Features outermost(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                                   std::size_t layers, const Probe& probe = {}, double merged = 0.0) const;

  /// Channels of each skip, in order.
  [[nodiscard]] std::vector<std::int64_t> skip_widths() const;

 private:
  struct Block {
    std::vector<ResnetBlock> resnets;
    std::vector<Transformer2D> attentions;  // empty or one per resnet
    std::optional<Convolution> downsampler;
  };
  struct Mlp {
    Linear linear_1, linear_2;
    at::Tensor operator()(const ops::Operations& ops, const at::Tensor& x) const {
      return linear_2(ops.silu(linear_1(x)));
    }
  };
  static Mlp mlp(const Builder& build, std::int64_t in, std::int64_t width);
  void build_blocks(const Builder& root);
  [[nodiscard]] at::Tensor embed_time(const at::Tensor& t, const at::Tensor& added, const Probe& probe) const;
  /// Up to conv_in, which is the first skip.
  [[nodiscard]] Features begin(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                               const at::Tensor& hint, const Probe& probe) const;
  /// One layer of a level, from the last skip to the next.
  void run_layer(std::size_t level, std::size_t layer, double merged, Features& features) const;

  UNetConfig config_;
  const ops::Operations* ops_;
  Convolution conv_in_;
  Mlp time_embedding_;
  std::optional<Mlp> add_embedding_;
  std::vector<Block> blocks_;
  ResnetBlock mid_first_;
  Transformer2D mid_attention_;
  ResnetBlock mid_second_;
};

}  // namespace waggle::pipeline

// UNet: building its up path from a checkpoint, and the forward pass.
#include "pipeline/models/unet.h"

#include <ATen/Functions.h>

namespace waggle::pipeline {

UNet::UNet(const Builder& build, const UNetConfig& config)
    : config_(config),
      ops_(&build.ops()),
      down_(build, config),
      conv_norm_out_(
          build.group_norm("conv_norm_out", config.widths.front(), config.groups, config.norm_eps)),
      conv_out_(build.convolution("conv_out", config.widths.front(), config.out_channels)) {
  build_up(build);
}

void UNet::build_up(const Builder& root) {
  const std::size_t levels = config_.widths.size();
  std::int64_t below = config_.widths.back();  // channels that come up from the level below
  for (std::size_t i = 0; i < levels; ++i) {
    const Builder build = root / "up_blocks" / static_cast<int>(i);
    const std::size_t level = levels - 1 - i;
    const std::int64_t out = config_.widths[level], above = config_.widths[level == 0 ? 0 : level - 1];
    Up& block = up_blocks_.emplace_back();
    for (int j = 0; j <= config_.layers_per_block; ++j) {
      // The last skip of a level was made before its first resnet, with the channels of the level above.
      const std::int64_t skip = j == config_.layers_per_block ? above : out;
      block.resnets.emplace_back(build / "resnets" / j, (j == 0 ? below : out) + skip, out,
                                 config_.time_width(), config_.groups, config_.norm_eps);
      if (config_.up_attention[i])
        block.attentions.push_back(level_transformer(build / "attentions" / j, config_, level));
    }
    if (i + 1 < levels) block.upsampler = build.convolution("upsamplers.0.conv", out, out);
    below = out;
  }
}

UNetContext UNet::prepare(const at::Tensor& text, const at::Tensor& pooled, const at::Tensor& sizes) const {
  UNetContext out = down_.prepare(text, pooled, sizes);
  const at::Tensor context = text.to(ops_->activations());
  for (const auto& block : up_blocks_)
    for (const auto& attention : block.attentions) attention.prepare(context, out.text);
  return out;
}

at::Tensor UNet::forward(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                         const Residuals& residuals, const Probe& probe) const {
  auto [skips, x, time, text] = down_.forward(sample, t, context, {}, probe);
  if (!residuals.skips.empty()) {
    if (residuals.skips.size() != skips.size())
      throw std::runtime_error("the ControlNet's residuals are not as many as the UNet's skip connections");
    for (std::size_t i = 0; i < skips.size(); ++i) skips[i] = skips[i] + residuals.skips[i];
    x = x + residuals.mid;
  }

  for (std::size_t i = 0; i < up_blocks_.size(); ++i) {
    const Up& block = up_blocks_[i];
    for (std::size_t j = 0; j < block.resnets.size(); ++j) {
      x = block.resnets[j].forward(at::cat({x, skips.back()}, 1), time);
      skips.pop_back();
      if (!block.attentions.empty()) x = block.attentions[j].forward(x, text);
    }
    if (block.upsampler)
      x = (*block.upsampler)(ops_->upsample_nearest(x, skips.back().size(2), skips.back().size(3)));
    if (probe) probe("up_blocks." + std::to_string(i), x);
  }
  x = conv_norm_out_(x);
  if (probe) probe("conv_norm_out", x);
  return conv_out_(ops_->silu(x)).to(at::kFloat);
}

}  // namespace waggle::pipeline

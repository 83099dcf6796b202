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

at::Tensor UNet::run_layer(std::size_t i, std::size_t layer, at::Tensor x, double merged,
                           UNetDown::Features& features) const {
  const Up& block = up_blocks_[i];
  x = block.resnets[layer].forward(at::cat({x, features.skips.back()}, 1), features.time);
  features.skips.pop_back();
  if (block.attentions.empty()) return x;
  const bool merges = up_blocks_.size() - 1 - i == merging_level(config_);
  return block.attentions[layer].forward(x, features.text, merges ? merged : 0.0);
}

at::Tensor UNet::predict(at::Tensor x, const Probe& probe) const {
  x = conv_norm_out_(x);
  if (probe) probe("conv_norm_out", x);
  return conv_out_(ops_->silu(x)).to(at::kFloat);
}

at::Tensor UNet::forward(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                         const Residuals& residuals, const Probe& probe, const UNetCall& call) const {
  UNetDown::Features features = down_.forward(sample, t, context, {}, probe, call.merged);
  at::Tensor x = std::move(features.mid);
  if (!residuals.skips.empty()) {
    auto& skips = features.skips;
    if (residuals.skips.size() != skips.size())
      throw std::runtime_error("the ControlNet's residuals are not as many as the UNet's skip connections");
    for (std::size_t i = 0; i < skips.size(); ++i) skips[i] = skips[i] + residuals.skips[i];
    x = x + residuals.mid;
  }

  for (std::size_t i = 0; i < up_blocks_.size(); ++i) {
    const Up& block = up_blocks_[i];
    for (std::size_t j = 0; j < block.resnets.size(); ++j) {
      const bool outermost = i + 1 == up_blocks_.size() && j + outermost_layers() == block.resnets.size();
      if (outermost && call.deep != nullptr) *call.deep = x;
      x = run_layer(i, j, std::move(x), call.merged, features);
    }
    if (block.upsampler) {
      const at::Tensor& skip = features.skips.back();
      x = (*block.upsampler)(ops_->upsample_nearest(x, skip.size(2), skip.size(3)));
    }
    if (probe) probe("up_blocks." + std::to_string(i), x);
  }
  return predict(std::move(x), probe);
}

at::Tensor UNet::outermost(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                           const at::Tensor& deep, const Probe& probe, double merged) const {
  const std::size_t last = up_blocks_.size() - 1, layers = up_blocks_[last].resnets.size(),
                    first = layers - outermost_layers();
  UNetDown::Features features = down_.outermost(sample, t, context, outermost_layers() - 1, probe, merged);
  features.text = context.text.end();
  for (std::size_t j = first; j < up_blocks_[last].attentions.size(); ++j)
    features.text -= up_blocks_[last].attentions[j].entries();
  at::Tensor x = deep;
  for (std::size_t j = first; j < layers; ++j) x = run_layer(last, j, std::move(x), merged, features);
  if (probe) probe("up_blocks." + std::to_string(last), x);
  return predict(std::move(x), probe);
}

}  // namespace waggle::pipeline

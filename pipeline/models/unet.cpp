// UNet: building its parts from a checkpoint, and the forward pass.
#include "pipeline/models/unet.h"

#include <cmath>

#include <ATen/Functions.h>

namespace waggle::pipeline {

at::Tensor sinusoidal_embedding(const at::Tensor& t, std::int64_t width, bool flip, double freq_shift) {
  const std::int64_t half = width / 2;
  const at::Tensor exponent =
      at::arange(half, t.options()) * (-std::log(10000.0)) / (static_cast<double>(half) - freq_shift);
  const at::Tensor angles = t.unsqueeze(-1) * exponent.exp();  // [B, half]
  const at::Tensor sines = angles.sin(), cosines = angles.cos();
  return flip ? at::cat({cosines, sines}, -1) : at::cat({sines, cosines}, -1);
}

UNet::Mlp UNet::mlp(const Builder& build, std::int64_t in, std::int64_t width) {
  return {build.linear("linear_1", in, width), build.linear("linear_2", width, width)};
}

Transformer2D UNet::transformer(const Builder& build, std::size_t level) const {
  return {build,
          config_.widths[level],
          static_cast<int>(config_.heads[level]),
          static_cast<int>(config_.transformer_layers[level]),
          config_.context_width,
          config_.groups,
          config_.linear_projection};
}

UNet::UNet(const Builder& build, const UNetConfig& config)
    : config_(config),
      ops_(&build.ops()),
      conv_in_(build.convolution("conv_in", config.in_channels, config.widths.front())),
      time_embedding_(mlp(build / "time_embedding", config.widths.front(), config.time_width())),
      mid_first_(build / "mid_block.resnets.0", config.widths.back(), config.widths.back(),
                 config.time_width(), config.groups, config.norm_eps),
      mid_attention_(transformer(build / "mid_block.attentions.0", config.widths.size() - 1)),
      mid_second_(build / "mid_block.resnets.1", config.widths.back(), config.widths.back(),
                  config.time_width(), config.groups, config.norm_eps),
      conv_norm_out_(
          build.group_norm("conv_norm_out", config.widths.front(), config.groups, config.norm_eps)),
      conv_out_(build.convolution("conv_out", config.widths.front(), config.out_channels)) {
  if (config.added_width > 0)
    add_embedding_ = mlp(build / "add_embedding", config.added_width, config.time_width());
  build_down(build);
  build_up(build);
}

void UNet::build_down(const Builder& root) {
  std::int64_t in = config_.widths.front();
  for (std::size_t level = 0; level < config_.widths.size(); ++level) {
    const Builder build = root / "down_blocks" / static_cast<int>(level);
    const std::int64_t out = config_.widths[level];
    Down& block = down_blocks_.emplace_back();
    for (int i = 0; i < config_.layers_per_block; ++i) {
      block.resnets.emplace_back(build / "resnets" / i, i == 0 ? in : out, out, config_.time_width(),
                                 config_.groups, config_.norm_eps);
      if (config_.down_attention[level])
        block.attentions.push_back(transformer(build / "attentions" / i, level));
    }
    if (level + 1 < config_.widths.size())
      block.downsampler = build.convolution("downsamplers.0.conv", out, out, 3, 2);
    in = out;
  }
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
      if (config_.up_attention[i]) block.attentions.push_back(transformer(build / "attentions" / j, level));
    }
    if (i + 1 < levels) block.upsampler = build.convolution("upsamplers.0.conv", out, out);
    below = out;
  }
}

UNetContext UNet::prepare(const at::Tensor& text, const at::Tensor& pooled, const at::Tensor& sizes) const {
  const at::Tensor context = text.to(ops_->activations());
  UNetContext out;
  // In order of use: down, middle, up.
  for (const auto& block : down_blocks_)
    for (const auto& attention : block.attentions) attention.prepare(context, out.text);
  mid_attention_.prepare(context, out.text);
  for (const auto& block : up_blocks_)
    for (const auto& attention : block.attentions) attention.prepare(context, out.text);

  if (add_embedding_) {
    if (!pooled.defined() || !sizes.defined())
      throw std::runtime_error("the model needs pooled text and sizes");
    const std::int64_t batch = text.size(0);
    const at::Tensor embedded = sinusoidal_embedding(sizes.to(at::kFloat).flatten(), config_.added_time_width,
                                                     config_.flip_sin_to_cos, config_.freq_shift)
                                    .view({batch, -1});  // [B*6, W] -> [B, 6*W]
    const at::Tensor both = at::cat({pooled.to(at::kFloat), embedded.to(pooled.device())}, -1);
    if (both.size(1) != config_.added_width)
      throw std::runtime_error("pooled text and sizes do not have the width that the UNet was built for");
    out.added = (*add_embedding_)(*ops_, both.to(ops_->activations()));
  }
  return out;
}

at::Tensor UNet::forward(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                         const Probe& probe) const {
  const auto see = [&](const std::string& part, const at::Tensor& x) {
    if (probe) probe(part, x);
  };
  const at::TensorOptions options = ops_->activations();
  const at::Tensor wave = sinusoidal_embedding(t.to(at::kFloat), config_.widths.front(),
                                               config_.flip_sin_to_cos, config_.freq_shift);
  at::Tensor time = time_embedding_(*ops_, wave.to(options));
  see("time_embedding", time);
  if (context.added.defined()) time = time + context.added;
  time = ops_->silu(time);  // every resnet begins with it; [B, time_width]

  auto text = context.text.begin();
  at::Tensor x = conv_in_(sample.to(options));
  see("conv_in", x);
  std::vector<at::Tensor> skips{x};
  for (std::size_t level = 0; level < down_blocks_.size(); ++level) {
    const Down& block = down_blocks_[level];
    for (std::size_t i = 0; i < block.resnets.size(); ++i) {
      x = block.resnets[i].forward(x, time);
      if (!block.attentions.empty()) x = block.attentions[i].forward(x, text);
      skips.push_back(x);
    }
    if (block.downsampler) skips.push_back(x = (*block.downsampler)(x));
    see("down_blocks." + std::to_string(level), x);
  }

  x = mid_first_.forward(x, time);
  x = mid_attention_.forward(x, text);
  x = mid_second_.forward(x, time);
  see("mid_block", x);

  for (std::size_t i = 0; i < up_blocks_.size(); ++i) {
    const Up& block = up_blocks_[i];
    for (std::size_t j = 0; j < block.resnets.size(); ++j) {
      x = block.resnets[j].forward(at::cat({x, skips.back()}, 1), time);
      skips.pop_back();
      if (!block.attentions.empty()) x = block.attentions[j].forward(x, text);
    }
    if (block.upsampler)
      x = (*block.upsampler)(ops_->upsample_nearest(x, skips.back().size(2), skips.back().size(3)));
    see("up_blocks." + std::to_string(i), x);
  }
  x = conv_norm_out_(x);
  see("conv_norm_out", x);
  return conv_out_(ops_->silu(x)).to(at::kFloat);
}

}  // namespace waggle::pipeline

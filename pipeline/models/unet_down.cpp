// The down path and the middle: built from a checkpoint, and run.
#include "pipeline/models/unet_down.h"

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

std::size_t merging_level(const UNetConfig& config) {
  std::size_t level = 0;
  while (level + 1 < config.widths.size() && !config.down_attention[level]) ++level;
  return level;
}

Transformer2D level_transformer(const Builder& build, const UNetConfig& config, std::size_t level) {
  return {build,
          config.widths[level],
          static_cast<int>(config.heads[level]),
          static_cast<int>(config.transformer_layers[level]),
          config.context_width,
          config.groups,
          config.linear_projection};
}

UNetDown::Mlp UNetDown::mlp(const Builder& build, std::int64_t in, std::int64_t width) {
  return {build.linear("linear_1", in, width), build.linear("linear_2", width, width)};
}

UNetDown::UNetDown(const Builder& build, const UNetConfig& config)
    : config_(config),
      ops_(&build.ops()),
      conv_in_(build.convolution("conv_in", config.in_channels, config.widths.front())),
      time_embedding_(mlp(build / "time_embedding", config.widths.front(), config.time_width())),
      mid_first_(build / "mid_block.resnets.0", config.widths.back(), config.widths.back(),
                 config.time_width(), config.groups, config.norm_eps),
      mid_attention_(level_transformer(build / "mid_block.attentions.0", config_, config.widths.size() - 1)),
      mid_second_(build / "mid_block.resnets.1", config.widths.back(), config.widths.back(),
                  config.time_width(), config.groups, config.norm_eps) {
  if (config.added_width > 0)
    add_embedding_ = mlp(build / "add_embedding", config.added_width, config.time_width());
  build_blocks(build);
}

void UNetDown::build_blocks(const Builder& root) {
  std::int64_t in = config_.widths.front();
  for (std::size_t level = 0; level < config_.widths.size(); ++level) {
    const Builder build = root / "down_blocks" / static_cast<int>(level);
    const std::int64_t out = config_.widths[level];
    Block& block = blocks_.emplace_back();
    for (int i = 0; i < config_.layers_per_block; ++i) {
      block.resnets.emplace_back(build / "resnets" / i, i == 0 ? in : out, out, config_.time_width(),
                                 config_.groups, config_.norm_eps);
      if (config_.down_attention[level])
        block.attentions.push_back(level_transformer(build / "attentions" / i, config_, level));
    }
    if (level + 1 < config_.widths.size())
      block.downsampler = build.convolution("downsamplers.0.conv", out, out, 3, 2);
    in = out;
  }
}

std::vector<std::int64_t> UNetDown::skip_widths() const {
  std::vector<std::int64_t> widths{config_.widths.front()};
  for (std::size_t level = 0; level < blocks_.size(); ++level)
    widths.insert(widths.end(), blocks_[level].resnets.size() + (blocks_[level].downsampler ? 1 : 0),
                  config_.widths[level]);
  return widths;
}

UNetContext UNetDown::prepare(const at::Tensor& text, const at::Tensor& pooled,
                              const at::Tensor& sizes) const {
  const at::Tensor context = text.to(ops_->activations());
  UNetContext out;
  for (const auto& block : blocks_)
    for (const auto& attention : block.attentions) attention.prepare(context, out.text);
  mid_attention_.prepare(context, out.text);

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

at::Tensor UNetDown::embed_time(const at::Tensor& t, const at::Tensor& added, const Probe& probe) const {
  const at::Tensor wave = sinusoidal_embedding(t.to(at::kFloat), config_.widths.front(),
                                               config_.flip_sin_to_cos, config_.freq_shift);
  at::Tensor time = time_embedding_(*ops_, wave.to(ops_->activations()));
  if (probe) probe("time_embedding", time);
  if (added.defined()) time = time + added;
  return ops_->silu(time);  // every resnet begins with it; [B, time_width]
}

UNetDown::Features UNetDown::begin(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                                   const at::Tensor& hint, const Probe& probe) const {
  Features out{{}, {}, embed_time(t, context.added, probe), context.text.begin()};
  at::Tensor x = conv_in_(sample.to(ops_->activations()));
  if (probe) probe("conv_in", x);
  if (hint.defined()) x = x + hint;
  out.skips.push_back(std::move(x));
  return out;
}

void UNetDown::run_layer(std::size_t level, std::size_t layer, double merged, Features& features) const {
  const Block& block = blocks_[level];
  at::Tensor x = block.resnets[layer].forward(features.skips.back(), features.time);
  if (!block.attentions.empty())
    x = block.attentions[layer].forward(x, features.text, level == merging_level(config_) ? merged : 0.0);
  features.skips.push_back(std::move(x));
}

UNetDown::Features UNetDown::outermost(const at::Tensor& sample, const at::Tensor& t,
                                       const UNetContext& context, std::size_t layers, const Probe& probe,
                                       double merged) const {
  Features out = begin(sample, t, context, {}, probe);
  for (std::size_t i = 0; i < layers; ++i) run_layer(0, i, merged, out);
  return out;
}

UNetDown::Features UNetDown::forward(const at::Tensor& sample, const at::Tensor& t,
                                     const UNetContext& context, const at::Tensor& hint, const Probe& probe,
                                     double merged) const {
  Features out = begin(sample, t, context, hint, probe);
  for (std::size_t level = 0; level < blocks_.size(); ++level) {
    const Block& block = blocks_[level];
    for (std::size_t i = 0; i < block.resnets.size(); ++i) run_layer(level, i, merged, out);
    if (block.downsampler) out.skips.push_back((*block.downsampler)(out.skips.back()));
    if (probe) probe("down_blocks." + std::to_string(level), out.skips.back());
  }
  at::Tensor x = mid_first_.forward(out.skips.back(), out.time);
  x = mid_attention_.forward(x, out.text);
  out.mid = mid_second_.forward(x, out.time);
  if (probe) probe("mid_block", out.mid);
  return out;
}

}  // namespace waggle::pipeline

// Autoencoder: middle block, decoder, encoder.
#include "pipeline/models/vae.h"

#include <ATen/Functions.h>

namespace waggle::pipeline {
namespace {

constexpr double kEps = 1e-6;

/// Old checkpoints name the attention's layers query, key, value and proj_attn.
std::string either(const Builder& build, const char* current, const char* old) {
  return build.contains(std::string(current) + ".weight") ? current : old;
}

}  // namespace

VaeMiddle::VaeMiddle(const Builder& build, std::int64_t channels, int groups)
    : ops_(&build.ops()),
      first_(build / "resnets.0", channels, channels, 0, groups, kEps),
      group_norm_((build / "attentions.0").group_norm("group_norm", channels, groups, kEps)),
      second_(build / "resnets.1", channels, channels, 0, groups, kEps) {
  const Builder attention = build / "attentions.0";
  to_q_ = attention.linear(either(attention, "to_q", "query"), channels, channels);
  to_k_ = attention.linear(either(attention, "to_k", "key"), channels, channels);
  to_v_ = attention.linear(either(attention, "to_v", "value"), channels, channels);
  to_out_ = attention.linear(either(attention, "to_out.0", "proj_attn"), channels, channels);
}

at::Tensor VaeMiddle::forward(const at::Tensor& input) const {
  const at::Tensor x = first_.forward(input);
  const std::int64_t batch = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
  const auto tokens = [&](const at::Tensor& map) {
    return map.permute({0, 2, 3, 1}).reshape({batch, height * width, channels});  // [B, h*w, C]
  };
  const at::Tensor a = tokens(group_norm_(x));
  const at::Tensor mixed = ops_->attention(to_q_(a), to_k_(a), to_v_(a), /*heads=*/1, /*causal=*/false);
  return second_.forward(
      to_out_(mixed, tokens(x)).view({batch, height, width, channels}).permute({0, 3, 1, 2}));
}

VaeDecoder::VaeDecoder(const Builder& root, const VaeConfig& config)
    : ops_(&root.ops()),
      conv_in_(root.convolution("decoder.conv_in", config.latent_channels, config.widths.back())),
      mid_block_(root / "decoder.mid_block", config.widths.back(), config.groups),
      conv_norm_out_(root.group_norm("decoder.conv_norm_out", config.widths.front(), config.groups, kEps)),
      conv_out_(root.convolution("decoder.conv_out", config.widths.front(), config.out_channels)) {
  if (root.contains("post_quant_conv.weight"))
    post_quant_conv_ = root.convolution("post_quant_conv", config.latent_channels, config.latent_channels, 1);
  const std::size_t levels = config.widths.size();
  std::int64_t in = config.widths.back();
  for (std::size_t i = 0; i < levels; ++i) {
    const Builder build = root / "decoder.up_blocks" / static_cast<int>(i);
    const std::int64_t out = config.widths[levels - 1 - i];
    Level& level = up_blocks_.emplace_back();
    for (int j = 0; j <= config.layers_per_block; ++j)
      level.resnets.emplace_back(build / "resnets" / j, j == 0 ? in : out, out, 0, config.groups, kEps);
    if (i + 1 < levels) level.upsampler = build.convolution("upsamplers.0.conv", out, out);
    in = out;
  }
}

at::Tensor VaeDecoder::enlarge(std::size_t level, const at::Tensor& x) const {
  const auto& upsampler = up_blocks_[level].upsampler;
  return upsampler ? (*upsampler)(ops_->upsample_nearest(x, 2 * x.size(2), 2 * x.size(3))) : x;
}

at::Tensor VaeDecoder::head(const at::Tensor& latents, int stages) const {
  at::Tensor x = latents.to(ops_->activations());
  if (post_quant_conv_) x = (*post_quant_conv_)(x);
  x = mid_block_.forward(conv_in_(x));
  for (std::size_t i = 0; i < static_cast<std::size_t>(stages); ++i) {
    if (i > 0) x = enlarge(i - 1, x);
    for (const auto& resnet : up_blocks_[i].resnets) x = resnet.forward(x);
  }
  return x;
}

at::Tensor VaeDecoder::tail(at::Tensor x, int stages_done, SharedMoments* moments) const {
  for (auto i = static_cast<std::size_t>(stages_done); i < up_blocks_.size(); ++i) {
    x = enlarge(i - 1, x);
    for (const auto& resnet : up_blocks_[i].resnets) x = resnet.forward(x, {}, moments);
  }
  x = moments == nullptr ? conv_norm_out_.then_silu(x) : moments->then_silu(conv_norm_out_, x);
  return conv_out_(x).to(at::kFloat);
}

at::Tensor VaeDecoder::forward(const at::Tensor& latents) const {
  return tail(head(latents, stages()), stages());
}

VaeEncoder::VaeEncoder(const Builder& root, const VaeConfig& config)
    : ops_(&root.ops()),
      conv_in_(root.convolution("encoder.conv_in", config.in_channels, config.widths.front())),
      mid_block_(root / "encoder.mid_block", config.widths.back(), config.groups),
      conv_norm_out_(root.group_norm("encoder.conv_norm_out", config.widths.back(), config.groups, kEps)),
      conv_out_(root.convolution("encoder.conv_out", config.widths.back(), 2 * config.latent_channels)) {
  if (root.contains("quant_conv.weight"))
    quant_conv_ = root.convolution("quant_conv", 2 * config.latent_channels, 2 * config.latent_channels, 1);
  const std::size_t levels = config.widths.size();
  std::int64_t in = config.widths.front();
  for (std::size_t i = 0; i < levels; ++i) {
    const Builder build = root / "encoder.down_blocks" / static_cast<int>(i);
    const std::int64_t out = config.widths[i];
    Level& level = down_blocks_.emplace_back();
    for (int j = 0; j < config.layers_per_block; ++j)
      level.resnets.emplace_back(build / "resnets" / j, j == 0 ? in : out, out, 0, config.groups, kEps);
    if (i + 1 < levels) level.downsampler = build.convolution("downsamplers.0.conv", out, out, 3, 2, 0);
    in = out;
  }
}

at::Tensor VaeEncoder::run(const Level& level, at::Tensor x, SharedMoments* moments) const {
  for (const auto& resnet : level.resnets) x = resnet.forward(x, {}, moments);
  if (!level.downsampler) return x;
  return (*level.downsampler)(at::constant_pad_nd(x, {0, 1, 0, 1}));  // right and bottom only
}

at::Tensor VaeEncoder::head(const at::Tensor& image, int stages, SharedMoments* moments) const {
  at::Tensor x = conv_in_(image.to(ops_->activations()));
  for (std::size_t i = 0; i < static_cast<std::size_t>(stages); ++i)
    x = run(down_blocks_[i], std::move(x), moments);
  return x;
}

Posterior VaeEncoder::forward(const at::Tensor& image) const { return tail(head(image, 0), 0); }

Posterior VaeEncoder::tail(at::Tensor x, int stages_done) const {
  for (auto i = static_cast<std::size_t>(stages_done); i < down_blocks_.size(); ++i)
    x = run(down_blocks_[i], std::move(x), nullptr);
  x = conv_out_(conv_norm_out_.then_silu(mid_block_.forward(x)));
  if (quant_conv_) x = (*quant_conv_)(x);
  const auto moments = x.to(at::kFloat).chunk(2, 1);  // [B, 2*latent, h, w] -> mean, logvar
  const at::Tensor logvar = at::clamp(moments[1], -30.0, 20.0);
  return {moments[0], logvar, at::exp(0.5 * logvar)};
}

}  // namespace waggle::pipeline

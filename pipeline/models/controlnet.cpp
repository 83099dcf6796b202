// ControlNet: its picture embedding, and the 1x1 convolutions behind the shared down path.
#include "pipeline/models/controlnet.h"

#include <ATen/Functions.h>

namespace waggle::pipeline {
namespace {

constexpr std::int64_t kPictureChannels = 3;

void require_supported(const Config& config) {
  config.require("conditioning_channels", kPictureChannels);
  config.require("controlnet_conditioning_channel_order", "rgb");
  config.require("global_pool_conditions", false);
}

/// conv_in, pairs of (same width, stride 2 to the next width), conv_out to the UNet's first width.
std::vector<Convolution> picture_embedding(const Builder& build, const std::vector<std::int64_t>& widths,
                                           std::int64_t out) {
  std::vector<Convolution> layers;
  layers.push_back(build.convolution("conv_in", kPictureChannels, widths.front()));
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const Builder blocks = build / "blocks";
    layers.push_back(blocks.convolution(std::to_string(2 * i), widths[i], widths[i]));
    layers.push_back(blocks.convolution(std::to_string(2 * i + 1), widths[i], widths[i + 1], 3, 2));
  }
  layers.push_back(build.convolution("conv_out", widths.back(), out));
  return layers;
}

/// A ControlNet with what it borrows.
struct Loaded {
  std::shared_ptr<const ops::Operations> operations;
  ControlNet net;
};

}  // namespace

ControlNet::ControlNet(const Builder& build, const Config& config)
    : config_((require_supported(config), UNetConfig::down_path_from(config))),
      ops_(&build.ops()),
      down_(build, config_),
      embedding_(picture_embedding(build / "controlnet_cond_embedding",
                                   config.has("conditioning_embedding_out_channels")
                                       ? config.integers("conditioning_embedding_out_channels")
                                       : std::vector<std::int64_t>{16, 32, 96, 256},
                                   config_.widths.front())),
      mid_(build.convolution("controlnet_mid_block", config_.widths.back(), config_.widths.back(), 1)) {
  for (const std::int64_t width : down_.skip_widths())
    skips_.push_back(
        (build / "controlnet_down_blocks").convolution(std::to_string(skips_.size()), width, width, 1));
}

at::Tensor ControlNet::embed(const at::Tensor& picture) const {
  at::Tensor x = picture.to(ops_->activations());
  for (std::size_t i = 0; i + 1 < embedding_.size(); ++i) x = ops_->silu(embedding_[i](x));
  return embedding_.back()(x);
}

UNetContext ControlNet::prepare(const at::Tensor& text, const at::Tensor& pooled,
                                const at::Tensor& sizes) const {
  return down_.prepare(text, pooled, sizes);
}

Residuals ControlNet::forward(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                              const at::Tensor& embedded) const {
  const auto features = down_.forward(sample, t, context, embedded);
  Residuals out;
  for (std::size_t i = 0; i < skips_.size(); ++i) out.skips.push_back(skips_[i](features.skips[i]));
  out.mid = mid_(features.mid);
  return out;
}

bool ControlNet::fits(const UNetConfig& unet) const {
  return config_.widths == unet.widths && config_.layers_per_block == unet.layers_per_block &&
         config_.context_width == unet.context_width && config_.added_width == unet.added_width;
}

std::shared_ptr<const ControlNet> load_controlnet(const PartFiles& files,
                                                  std::shared_ptr<const ops::Operations> operations) {
  const auto weights = files.open();
  weights->will_read();
  ControlNet net(Builder(*weights, *operations), files.config);
  if (const auto unused = weights->unused(); !unused.empty())
    throw LoadError(files.config.name() + ": the model has no place for the tensor " + unused.front());
  const auto loaded = std::make_shared<const Loaded>(std::move(operations), std::move(net));
  return {loaded, &loaded->net};
}

}  // namespace waggle::pipeline

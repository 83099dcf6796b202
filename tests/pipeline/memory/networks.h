// Autoencoders and UNets of random weights, of any width.
#pragma once

#include <memory>

#include <nlohmann/json.hpp>

#include "pipeline/models/unet.h"
#include "pipeline/models/vae.h"
#include "pipeline/weights/random_weights.h"

namespace waggle::pipeline::testing {

inline VaeConfig vae_config(std::vector<std::int64_t> widths, int groups) {
  VaeConfig config{};
  config.in_channels = config.out_channels = 3;
  config.latent_channels = 4;
  config.widths = std::move(widths);
  config.layers_per_block = 2;
  config.groups = groups;
  config.scaling_factor = 0.18215;
  return config;
}

struct Vae {
  explicit Vae(const VaeConfig& shape, std::shared_ptr<const ops::Operations> with)
      : config(shape),
        operations(std::move(with)),
        decoder(Builder(weights, *operations), config),
        encoder(Builder(weights, *operations), config) {}
  RandomWeights weights;
  VaeConfig config;
  std::shared_ptr<const ops::Operations> operations;
  VaeDecoder decoder;
  VaeEncoder encoder;
};

inline UNetConfig unet_config(std::int64_t width, std::int64_t heads) {
  const nlohmann::json json = {
      {"block_out_channels", {width, 2 * width, 4 * width, 4 * width}},
      {"down_block_types",
       {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"}},
      {"up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}},
      {"attention_head_dim", heads},
      {"cross_attention_dim", 64},
      {"norm_num_groups", 8}};
  return UNetConfig::from(Config(json, "unet"));
}

}  // namespace waggle::pipeline::testing

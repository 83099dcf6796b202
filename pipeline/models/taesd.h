// TAESD, a decoder so small that it can show every step (Ollin Boer Bohan 2023,
// https://github.com/madebyollin/taesd): convolutions and residual blocks, no norms, no attention.
//
// Only the decoder: a preview never needs to encode.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/models/layers.h"

namespace waggle::pipeline {

class TaesdDecoder {
 public:
  /// Under its author's names ("1.weight", "3.conv.0.weight") or those of diffusers' AutoencoderTiny
  /// ("decoder.layers.0.weight"), told by the keys. Throws LoadError naming file and tensor.
  TaesdDecoder(const std::filesystem::path& file, std::shared_ptr<const ops::Operations> operations);

  /// **Shape**: [B, C, h, w], latents as the sampler leaves them -> [B, 3, 8h, 8w] fp32 on the CPU, 0..1,
  /// clamped.
  [[nodiscard]] at::Tensor forward(const at::Tensor& latents) const;
  [[nodiscard]] std::int64_t latent_channels() const { return latent_channels_; }

 private:
  struct Block {
    Convolution first, second, third;
  };
  /// Some blocks, then an enlargement and a convolution; the last stage only the convolution.
  struct Stage {
    std::vector<Block> blocks;
    Convolution after;
  };
  [[nodiscard]] at::Tensor run(const Block& block, const at::Tensor& x) const;

  std::shared_ptr<const ops::Operations> operations_;
  std::int64_t latent_channels_ = 0;
  std::vector<Convolution> conv_in_;  // one
  std::vector<Stage> stages_;
};

/// `<dir>/<name>_decoder.safetensors`, `<dir>/<name>.safetensors` or
/// `<dir>/<name>/diffusion_pytorch_model.safetensors`, the first that is there.
std::optional<std::filesystem::path> find_taesd(const std::filesystem::path& dir, const std::string& name);

}  // namespace waggle::pipeline

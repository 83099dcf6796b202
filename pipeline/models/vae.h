// The autoencoder between pixels and latents (Kingma and Welling 2014; Rombach et al. 2022), named as
// diffusers' AutoencoderKL names its parts.
#pragma once

#include <optional>
#include <vector>

#include "pipeline/models/resnet.h"
#include "pipeline/models/vae_config.h"

namespace waggle::pipeline {

/// Residual block, single-head attention, residual block: the middle of encoder and decoder.
class VaeMiddle {
 public:
  VaeMiddle(const Builder& build, std::int64_t channels, int groups);
  [[nodiscard]] at::Tensor forward(const at::Tensor& x) const;

 private:
  const ops::Operations* ops_;
  ResnetBlock first_;
  GroupNorm group_norm_;
  Linear to_q_, to_k_, to_v_, to_out_;
  ResnetBlock second_;
};

class VaeDecoder {
 public:
  VaeDecoder(const Builder& build, const VaeConfig& config);
  /// **Shape**: [B, latent, h, w] already divided by the scaling factor -> [B, 3, h*factor, w*factor] fp32.
  /// **Unit**: about -1..1, not clamped. **Source**: golden `vae.decode`.
  [[nodiscard]] at::Tensor forward(const at::Tensor& latents) const;

  /// The same in two parts. A stage is a level with the enlargement before it; the first has the middle block
  /// instead and is the only one that must see the whole picture.
  [[nodiscard]] int stages() const { return static_cast<int>(up_blocks_.size()); }
  [[nodiscard]] const ops::Operations& operations() const { return *ops_; }
  /// The first `stages` of them. **Shape**: -> [B, C, h*s, w*s] with s = 2^(stages - 1).
  [[nodiscard]] at::Tensor head(const at::Tensor& latents, int stages) const;
  /// The rest, of the whole or of a tile.
  [[nodiscard]] at::Tensor tail(at::Tensor features, int stages_done, SharedMoments* moments = nullptr) const;

 private:
  struct Level {
    std::vector<ResnetBlock> resnets;
    std::optional<Convolution> upsampler;
  };
  [[nodiscard]] at::Tensor enlarge(std::size_t level, const at::Tensor& x) const;
  const ops::Operations* ops_;
  std::optional<Convolution> post_quant_conv_;
  Convolution conv_in_;
  VaeMiddle mid_block_;
  std::vector<Level> up_blocks_;
  GroupNorm conv_norm_out_;
  Convolution conv_out_;
};

/// The posterior q(z|x): [B, latent, h, w] each, fp32. A sample is mean + std * noise.
struct Posterior {
  at::Tensor mean, logvar, std;
};

class VaeEncoder {
 public:
  VaeEncoder(const Builder& build, const VaeConfig& config);
  /// **Shape**: [B, 3, H, W] in -1..1, H and W multiples of the factor -> posterior of [B, latent, H/factor,
  /// W/factor], before the scaling factor.
  /// **Source**: golden `vae.encode.*`.
  [[nodiscard]] Posterior forward(const at::Tensor& image) const;

  /// The same in two parts. A stage is a level with the reduction after it; the last level is not one.
  /// **Shape**: -> [B, C, H/s, W/s] with s = 2^stages; of the whole or of a tile.
  [[nodiscard]] at::Tensor head(const at::Tensor& image, int stages, SharedMoments* moments = nullptr) const;
  [[nodiscard]] Posterior tail(at::Tensor features, int stages_done) const;
  [[nodiscard]] int stages() const { return static_cast<int>(down_blocks_.size()) - 1; }

 private:
  struct Level {
    std::vector<ResnetBlock> resnets;
    std::optional<Convolution> downsampler;
  };
  [[nodiscard]] at::Tensor run(const Level& level, at::Tensor x, SharedMoments* moments) const;
  const ops::Operations* ops_;
  Convolution conv_in_;
  std::vector<Level> down_blocks_;
  VaeMiddle mid_block_;
  GroupNorm conv_norm_out_;
  Convolution conv_out_;
  std::optional<Convolution> quant_conv_;
};

}  // namespace waggle::pipeline

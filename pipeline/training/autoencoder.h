// The first stage: an autoencoder that takes pictures to latents and back.
#pragma once

#include <cstdint>
#include <string>

#include "pipeline/models/vae.h"
#include "pipeline/training/parameters.h"
#include "pipeline/training/scene.h"

namespace waggle::training {

class Autoencoder {
 public:
  /// **Precision**: of the activations, see mixed_operations().
  Autoencoder(std::uint64_t seed, at::ScalarType precision);

  [[nodiscard]] const std::map<std::string, at::Tensor>& parameters() const { return parameters_.tensors(); }
  /// Absolute and squared error of pixels, of what is left of them at half and quarter size and of their
  /// differences to neighbours (which is what makes edges crisp), the posterior's distance from a normal
  /// distribution, and how far its first three channels are from the picture's colours, eight by eight pixels
  /// averaged: a small denoiser learns latents that look like pictures much sooner than any others.
  /// **Shape**: pictures [B, 3, H, W], -1 .. 1. **Randomness**: the posterior's noise.
  [[nodiscard]] at::Tensor loss(const at::Tensor& pictures, const at::Generator& noise) const;
  /// The same error of pixels, of what the decoder makes of latents that only the picture is known of: only
  /// the decoder learns. **Shape**: emphasis [B, 1, H, W], what the error counts at each pixel; the rest as
  /// loss(). **Randomness**: as loss().
  [[nodiscard]] at::Tensor decoder_loss(const at::Tensor& pictures, const at::Tensor& emphasis,
                                        const at::Generator& noise) const;
  /// The posterior's mean, not scaled.
  [[nodiscard]] at::Tensor encode(const at::Tensor& pictures) const {
    return encoder_.forward(pictures).mean;
  }
  [[nodiscard]] at::Tensor decode(const at::Tensor& latents) const { return decoder_.forward(latents); }

 private:
  Parameters parameters_;
  std::shared_ptr<const pipeline::ops::Operations> operations_;
  pipeline::VaeEncoder encoder_;
  pipeline::VaeDecoder decoder_;
};

/// The parameters that take part in decoding.
std::map<std::string, at::Tensor> decoder_of(const Autoencoder& model);

/// Pictures and their reconstructions in alternating rows, for people.
at::Tensor reconstructions(const Autoencoder& model, const std::vector<Scene>& scenes, int columns);

/// One over the deviation of the latents of these scenes: what the configuration's scaling_factor must be.
double scaling_factor(const Autoencoder& model, const std::vector<Scene>& scenes);

}  // namespace waggle::training

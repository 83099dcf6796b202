// What a run starts from, per operation: pure noise, a noised picture, or a picture with a hole.
//
// The order of random draws is diffusers': image to image draws the VAE posterior first, then the noise;
// inpainting also draws the posterior of the masked picture.
#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

#include "pipeline/engine/bounded_vae.h"
#include "pipeline/models/stable_diffusion.h"
#include "pipeline/samplers/plan.h"

namespace waggle::pipeline {

/// The pictures of a job as the model sees them, prepared once for all its images. Everything undefined: text
/// to image.
struct SourcePictures {
  Posterior image;         ///< of the input picture
  at::Tensor mask;         ///< [1, 1, h, w] fp32, 1 = paint anew, 0 = keep; inpainting only
  Posterior masked_image;  ///< of the picture with a grey hole; inpainting only
  double strength = 1.0;   ///< of the operation

  [[nodiscard]] bool has_image() const { return image.mean.defined(); }
};

/// Encodes an input picture. **Shape**: image [1, 3, H, W] in -1..1.
SourcePictures image_to_image_source(const StableDiffusion& model, const at::Tensor& image, double strength,
                                     const VaeBounds& bounds = {});
/// **Shape**: image as above; mask [1, 1, H, W], values 0..1, 0.5 and above is painted anew. The latent mask
/// takes the top-left pixel of each cell. **Source**: golden `inpaint.*`.
SourcePictures inpaint_source(const StableDiffusion& model, const at::Tensor& image, const at::Tensor& mask,
                              double strength, const VaeBounds& bounds = {});

/// 4-channel inpainting: after each evaluation the kept area becomes the picture at the sampler's noise
/// level.
struct Blend {
  at::Tensor mask, image_latents, noise;
  [[nodiscard]] at::Tensor apply(const Plan& plan, const at::Tensor& latents, int evaluation) const;
};

struct ImageStart {
  at::Tensor latents;  ///< [1, C, h, w] in the sampler's scale
  at::Tensor
      extra_channels;  ///< [1, 1 + C, h, w]: mask and masked picture for a 9-channel UNet; else undefined
  Blend blend;         ///< mask undefined: none
};

/// **Shape**: height and width in latent cells. **Randomness**: one draw for text to image, two for image to
/// image, three for inpainting (two at strength 1 with a 9-channel UNet).
ImageStart start_image(const StableDiffusion& model, const Plan& plan, const SourcePictures& source,
                       std::int64_t height, std::int64_t width, NoiseSource& noise);

}  // namespace waggle::pipeline

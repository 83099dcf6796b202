// Starting latents per operation.
#include "pipeline/engine/image_start.h"

#include <ATen/Functions.h>

namespace waggle::pipeline {
namespace {

/// A sample of the posterior, in the scale of the latents. One draw.
at::Tensor sample(const Posterior& posterior, double scaling_factor, NoiseSource& noise) {
  return scaling_factor *
         (posterior.mean + posterior.std * noise.draw(posterior.mean.sizes()).to(posterior.mean.device()));
}

}  // namespace

SourcePictures image_to_image_source(const StableDiffusion& model, const at::Tensor& image, double strength,
                                     const VaeBounds& bounds) {
  return {encode_within(model, image, bounds), {}, {}, strength};
}

SourcePictures inpaint_source(const StableDiffusion& model, const at::Tensor& image, const at::Tensor& mask,
                              double strength, const VaeBounds& bounds) {
  const at::Tensor hole = mask.ge(0.5).to(at::kFloat);  // [1, 1, H, W]
  const std::int64_t factor = model.vae_config().factor();
  const at::Tensor cells =
      hole.slice(2, 0, hole.size(2), factor).slice(3, 0, hole.size(3), factor).contiguous();
  return {encode_within(model, image, bounds), cells, encode_within(model, image * (1 - hole), bounds),
          strength};
}

at::Tensor Blend::apply(const Plan& plan, const at::Tensor& latents, int evaluation) const {
  return (1 - mask) * plan.add_noise_after(image_latents, noise, evaluation) + mask * latents;
}

ImageStart start_image(const StableDiffusion& model, const Plan& plan, const SourcePictures& source,
                       std::int64_t height, std::int64_t width, NoiseSource& noise) {
  const double scale = model.vae_config().scaling_factor;
  const std::int64_t channels = model.vae_config().latent_channels;
  const bool inpaints = source.mask.defined();
  const bool has_mask_channels = model.unet().config().in_channels == 2 * channels + 1;
  const bool from_noise = !source.has_image() || (inpaints && source.strength >= 1.0);

  ImageStart start;
  at::Tensor image;
  // A 9-channel model at full strength never looks at the picture outside the hole's surroundings.
  if (source.has_image() && !(from_noise && has_mask_channels)) image = sample(source.image, scale, noise);
  const at::Tensor first = noise.draw({1, channels, height, width});
  start.latents = from_noise ? plan.scale_initial_noise(first) : plan.add_noise(image, first);
  if (!inpaints) return start;

  const at::Tensor masked = sample(source.masked_image, scale, noise);
  if (has_mask_channels)
    start.extra_channels = at::cat({source.mask, masked}, 1);
  else
    start.blend = {source.mask, image, first};
  return start;
}

}  // namespace waggle::pipeline

// Enlarging latents and pictures.
#include "pipeline/engine/enlarge.h"

#include <ATen/Functions.h>

#include "pipeline/engine/latent_preview.h"
#include "pipeline/engine/source_pictures.h"
#include "pipeline/image/resize.h"

namespace waggle::pipeline {
namespace {

at::Tensor enlarged_latents(const at::Tensor& latents, Upscaler upscaler, at::IntArrayRef size) {
  switch (upscaler) {
    case Upscaler::latent_bicubic:
      return at::upsample_bicubic2d(latents, size, /*align_corners=*/false);
    case Upscaler::latent_nearest:
      return at::upsample_nearest2d(latents, size);
    case Upscaler::latent:
    case Upscaler::lanczos:
    case Upscaler::nearest:
      break;
  }
  return at::upsample_bilinear2d(latents, size, /*align_corners=*/false);
}

Picture nearest(const Picture& picture, int width, int height) {
  Picture out{width, height, picture.channels, {}};
  out.samples.reserve(static_cast<std::size_t>(width) * height * picture.channels);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const std::size_t from = static_cast<std::size_t>(y * picture.height / height) * picture.width +
                               static_cast<std::size_t>(x * picture.width / width);
      const auto* sample = picture.samples.data() + from * picture.channels;
      out.samples.insert(out.samples.end(), sample, sample + picture.channels);
    }
  return out;
}

}  // namespace

ImageStart enlarge(const StableDiffusion& model, const Plan& plan, const at::Tensor& latents,
                   Upscaler upscaler, int width, int height, double strength, NoiseSource& noise,
                   const VaeBounds& bounds) {
  const std::int64_t factor = model.vae_config().factor(), rows = height / factor, columns = width / factor;
  if (enlarges_latents(upscaler)) {
    const at::Tensor large = enlarged_latents(latents, upscaler, {rows, columns});
    ImageStart start;
    start.latents = plan.add_noise(large, noise.draw(large.sizes()).to(large.device()));
    return start;
  }
  const Picture small = to_picture(decode_within(model, latents, bounds));
  const Picture large =
      upscaler == Upscaler::lanczos ? resize(small, width, height) : nearest(small, width, height);
  const SourcePictures source{
      encode_within(model, image_tensor(large, width, height), bounds), {}, {}, strength};
  return start_image(model, plan, source, rows, columns, noise);
}

}  // namespace waggle::pipeline

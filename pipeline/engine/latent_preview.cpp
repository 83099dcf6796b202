// Fitting and applying the preview map.
#include "pipeline/engine/latent_preview.h"

#include <cstring>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Functions.h>

namespace waggle::pipeline {

LatentPreview::LatentPreview(const StableDiffusion& model) {
  constexpr std::int64_t kCells = 16;
  const std::int64_t channels = model.vae_config().latent_channels, factor = model.vae_config().factor();
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);
  // Patches of constant colour, since flat areas are what the mean colour of a cell depends on.
  const at::Tensor patches =
      at::randn({1, channels, kCells / 4, kCells / 4}, generator, at::TensorOptions(at::kFloat));
  const at::Tensor latents = at::upsample_nearest2d(patches, {kCells, kCells});        // [1, C, 16, 16]
  const at::Tensor colours = at::avg_pool2d(model.decode(latents), {factor, factor});  // [1, 3, 16, 16]
  const at::Tensor x = at::cat({latents.reshape({channels, -1}).t(), at::ones({kCells * kCells, 1})}, 1);
  const at::Tensor y = colours.reshape({3, -1}).t();  // [256, 3]
  map_ = std::get<0>(at::linalg_lstsq(x, y));
}

Picture LatentPreview::render(const at::Tensor& latents) const {
  const std::int64_t channels = latents.size(1), height = latents.size(2), width = latents.size(3);
  const at::Tensor flat = latents.to(at::kCPU, at::kFloat).reshape({channels, -1}).t();  // [h*w, C]
  const at::Tensor rgb = at::matmul(flat, map_.narrow(0, 0, channels)) + map_.narrow(0, channels, 1);
  return to_picture(at::clamp(rgb, 0.0, 1.0).t().reshape({1, 3, height, width}));
}

Picture to_picture(const at::Tensor& image) {
  const at::Tensor bytes =
      (image[0] * 255.0).round().to(at::kByte).permute({1, 2, 0}).contiguous();  // [H, W, 3]
  Picture picture;
  picture.height = static_cast<int>(bytes.size(0));
  picture.width = static_cast<int>(bytes.size(1));
  picture.samples.resize(static_cast<std::size_t>(bytes.numel()));
  std::memcpy(picture.samples.data(), bytes.data_ptr(), picture.samples.size());
  return picture;
}

}  // namespace waggle::pipeline

// Choosing between one piece and tiles.
#include "pipeline/engine/bounded_vae.h"

#include "pipeline/engine/allocator.h"
#include "pipeline/engine/tiling_choice.h"

namespace waggle::pipeline {
namespace {

ActivationKind kind_of(const StableDiffusion& model) {
  return ActivationKind::of(model.vae_decoder().operations());
}

}  // namespace

at::Tensor decode_within(const StableDiffusion& model, const at::Tensor& latents, const VaeBounds& bounds) {
  if (bounds.between) bounds.between();
  const VaeConfig& config = model.vae_config();
  const auto tiling =
      decode_tiling(config, latents.size(2), latents.size(3), kind_of(model), bounds.budget_bytes);
  if (!tiling) return model.decode(latents);
  const ThriftyMemory thrifty;
  at::Tensor image =
      decode_tiled(model.vae_decoder(), config, latents / config.scaling_factor, *tiling, bounds.between);
  return image.div_(2).add_(0.5).clamp_(0.0, 1.0).to(at::kCPU);
}

Posterior encode_within(const StableDiffusion& model, const at::Tensor& image, const VaeBounds& bounds) {
  if (bounds.between) bounds.between();
  const VaeConfig& config = model.vae_config();
  const std::int64_t factor = config.factor();
  const auto tiling = encode_tiling(config, image.size(2) / factor, image.size(3) / factor, kind_of(model),
                                    bounds.budget_bytes);
  if (!tiling) return model.encode_image(image);
  const ThriftyMemory thrifty;
  return encode_tiled(model.vae()->encoder(), config, image, *tiling, bounds.between);
}

std::int64_t least_decode_bytes(const StableDiffusion& model, std::int64_t height, std::int64_t width,
                                std::int64_t budget_bytes) {
  const ActivationKind kind = kind_of(model);
  const auto tiling = decode_tiling(model.vae_config(), height, width, kind, budget_bytes);
  return decode_bytes(model.vae_config(), height, width, kind, tiling);
}

std::int64_t least_encode_bytes(const StableDiffusion& model, std::int64_t height, std::int64_t width,
                                std::int64_t budget_bytes) {
  const ActivationKind kind = kind_of(model);
  const auto tiling = encode_tiling(model.vae_config(), height, width, kind, budget_bytes);
  return encode_bytes(model.vae_config(), height, width, kind, tiling);
}

}  // namespace waggle::pipeline

// A model's autoencoder within a memory budget: in one piece where that fits, over tiles where it does not.
#pragma once

#include <cstdint>
#include <limits>

#include "pipeline/models/stable_diffusion.h"
#include "pipeline/models/vae_tiling.h"

namespace waggle::pipeline {

struct VaeBounds {
  std::int64_t budget_bytes = std::numeric_limits<std::int64_t>::max();
  BetweenTiles between;  ///< called before each piece of work; may throw to give up
};

/// As StableDiffusion::decode.
at::Tensor decode_within(const StableDiffusion& model, const at::Tensor& latents, const VaeBounds& bounds);
/// As StableDiffusion::encode_image.
Posterior encode_within(const StableDiffusion& model, const at::Tensor& image, const VaeBounds& bounds);

/// What one of them takes at least, tiled as thriftily as it can be. Cells are those of the latents.
std::int64_t least_decode_bytes(const StableDiffusion& model, std::int64_t height, std::int64_t width,
                                std::int64_t budget_bytes);
std::int64_t least_encode_bytes(const StableDiffusion& model, std::int64_t height, std::int64_t width,
                                std::int64_t budget_bytes);

}  // namespace waggle::pipeline

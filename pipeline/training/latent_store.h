// The second stage's pictures, as latents that are made once: encoding a picture costs as much as learning
// from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pipeline/training/autoencoder.h"
#include "pipeline/training/scene.h"

namespace waggle::training {

struct LatentStore {
  at::Tensor latents;         ///< [N, 4, kLatentSide, kLatentSide] fp16, scaled
  std::vector<Scene> scenes;  ///< N
  double scaling = 1;         ///< what the latents were multiplied with
};

/// The scenes of a store depend on seed and count alone. Every second one is the harder of two.
std::vector<Scene> scenes_for(std::uint64_t seed, std::int64_t count);

/// Reads `file` when it fits seed and count, else encodes and writes it.
LatentStore make_latents(const Autoencoder& model, std::uint64_t seed, std::int64_t count, int threads,
                         const std::filesystem::path& file);

}  // namespace waggle::training

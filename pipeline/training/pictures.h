// Scenes as the models take them: pictures as tensors, drawn from a seed.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pipeline/image/picture.h"
#include "pipeline/training/scene.h"

namespace waggle::training {

/// A generator for one purpose: the same for the same numbers, unrelated for any others.
std::mt19937_64 generator_for(std::uint64_t seed, std::uint64_t purpose, std::uint64_t index);

/// **Shape**: [B, 3, kSide, kSide] fp32. **Range**: -1 .. 1.
at::Tensor pictures_of(const std::vector<Scene>& scenes);

/// A square of each at a place of its own. **Shape**: [B, 3, H, W] -> [B, 3, side, side]. **Randomness**: two
/// draws each.
at::Tensor random_crops(const at::Tensor& pictures, int side, std::mt19937_64& generator);

/// What an error counts at each point: `weight` in the figures' boxes and half a point around them, else 1.
/// **Shape**: [B, 1, side, side] fp32.
at::Tensor emphasis_on_figures(const std::vector<const Scene*>& scenes, std::int64_t side, double weight);

/// Pictures side by side, `columns` in a row. **Shape**: images [B, 3, h, w], -1 .. 1; what is beyond is cut.
pipeline::Picture contact_sheet(const at::Tensor& images, int columns);

}  // namespace waggle::training

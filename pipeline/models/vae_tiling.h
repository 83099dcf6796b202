// The autoencoder on pictures that it cannot take in one piece: the part at low resolution sees the whole,
// the rest runs over tiles.
//
// Tiles overlap by as far as the convolutions look and are cut back to their cores, so that no pixel depends
// on where the tiles lie: there are no seams to blend. What would otherwise differ from tile to tile is group
// normalisation: its moments are taken once, over the whole picture's features at the size of a tile, and
// shared (SharedMoments); the middle block's attention is in the whole part. With the moments of the full
// size the result equals the untiled one up to rounding; those of the reduced size deviate, which is the only
// error: below 3 % of the picture's norm with random weights (tests/pipeline/memory/tiling_test.cpp). Which
// tiling suits a budget: pipeline/engine/memory_estimate.h.
#pragma once

#include <cstdint>
#include <functional>

#include "pipeline/models/vae.h"

namespace waggle::pipeline {

struct VaeTiling {
  /// Decoder: stages that see the whole picture, 1 to stages(). Encoder: stages that run over tiles, 0 to
  /// stages().
  int split = 1;
  /// Side of a tile's core, in cells of the features at the split.
  std::int64_t tile = 64;
};

/// Called before each tile; may throw to give up.
using BetweenTiles = std::function<void()>;

/// Cells of the features at the split that a tile needs beside its core, on each side.
std::int64_t decode_halo(const VaeConfig& config, int split);
std::int64_t encode_halo(const VaeConfig& config, int split);

/// As VaeDecoder::forward for one picture. **Shape**: [1, latent, h, w] -> [1, 3, H, W] fp32.
at::Tensor decode_tiled(const VaeDecoder& decoder, const VaeConfig& config, const at::Tensor& latents,
                        const VaeTiling& tiling, const BetweenTiles& between = {});
/// As VaeEncoder::forward for one picture.
Posterior encode_tiled(const VaeEncoder& encoder, const VaeConfig& config, const at::Tensor& image,
                       const VaeTiling& tiling, const BetweenTiles& between = {});

/// The second half of decode_tiled: features at the split to the picture, with moments that somebody took.
at::Tensor decode_tiles(const VaeDecoder& decoder, const VaeConfig& config, const at::Tensor& features,
                        const VaeTiling& tiling, SharedMoments& moments, const BetweenTiles& between);
/// The first half of encode_tiled: a picture to the features at the split.
at::Tensor encode_tiles(const VaeEncoder& encoder, const VaeConfig& config, const at::Tensor& image,
                        const VaeTiling& tiling, SharedMoments& moments, const BetweenTiles& between);

}  // namespace waggle::pipeline

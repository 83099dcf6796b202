// Tiles, their halos, and the reduced whole.
#include "pipeline/models/vae_tiling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/Functions.h>

namespace waggle::pipeline {
namespace {

/// A stretch of one axis: what is read, and where in it the core begins.
struct Span {
  std::int64_t begin, length;  // read
  std::int64_t core_begin, core_length;
};

/// Cores next to each other, none longer than `core`, each read with its halo. All are read at one length,
/// beyond the halo where the picture ends: for every other shape operations would prepare code and weights.
std::vector<Span> spans(std::int64_t length, std::int64_t core, std::int64_t halo) {
  const std::int64_t count = (length + core - 1) / core, even = (length + count - 1) / count;
  const std::int64_t read = std::min(length, even + (count > 2 ? 2 : 1) * halo);
  std::vector<Span> out;
  for (std::int64_t at = 0; at < length; at += even)
    out.push_back(
        {std::clamp<std::int64_t>(at - halo, 0, length - read), read, at, std::min(even, length - at)});
  return out;
}

at::Tensor crop(const at::Tensor& x, std::int64_t top, std::int64_t left, std::int64_t height,
                std::int64_t width) {
  return x.narrow(2, top, height).narrow(3, left, width);
}

/// The whole at the size of a tile, sides multiples of `align`. Cells are left out, not averaged: each one
/// stays as strong as it is.
at::Tensor reduced(const at::Tensor& x, std::int64_t tile, std::int64_t align) {
  const auto height = static_cast<double>(x.size(2)), width = static_cast<double>(x.size(3));
  const double factor = std::min(1.0, static_cast<double>(tile) / std::sqrt(height * width));
  const auto side = [&](double length) {
    return std::max<std::int64_t>(1, std::llround(length * factor) / align) * align;
  };
  return at::upsample_nearest2d(x, {side(height), side(width)});
}

}  // namespace

std::int64_t decode_halo(const VaeConfig& config, int split) {
  const std::int64_t per_stage =
      2 * (config.layers_per_block + 1) + 1;  // resnets, and the enlargement's conv
  std::int64_t cells = 1;                     // conv_out
  for (auto stage = static_cast<int>(config.widths.size()) - 1; stage >= split; --stage)
    cells = (cells + per_stage + 1) / 2;
  return cells;
}

std::int64_t encode_halo(const VaeConfig& config, int split) {
  std::int64_t pixels = 0;
  // The reduction reads one pixel beyond its pair, so both sides count one.
  for (int stage = split; stage > 0; --stage) pixels = 2 * pixels + 1 + 2 * config.layers_per_block;
  pixels += 1;  // conv_in
  const std::int64_t factor = std::int64_t{1} << split;
  return (pixels + factor - 1) / factor;
}

at::Tensor decode_tiles(const VaeDecoder& decoder, const VaeConfig& config, const at::Tensor& features,
                        const VaeTiling& tiling, SharedMoments& moments, const BetweenTiles& between) {
  const std::int64_t halo = decode_halo(config, tiling.split);
  const std::int64_t factor = std::int64_t{1} << (static_cast<int>(config.widths.size()) - tiling.split);
  at::Tensor picture =
      at::empty({1, config.out_channels, features.size(2) * factor, features.size(3) * factor},
                features.options().dtype(at::kFloat));
  for (const Span& y : spans(features.size(2), tiling.tile, halo))
    for (const Span& x : spans(features.size(3), tiling.tile, halo)) {
      if (between) between();
      moments.replay();
      const at::Tensor tile =
          decoder.tail(crop(features, y.begin, x.begin, y.length, x.length), tiling.split, &moments);
      crop(picture, y.core_begin * factor, x.core_begin * factor, y.core_length * factor,
           x.core_length * factor)
          .copy_(crop(tile, (y.core_begin - y.begin) * factor, (x.core_begin - x.begin) * factor,
                      y.core_length * factor, x.core_length * factor));
    }
  return picture;
}

at::Tensor decode_tiled(const VaeDecoder& decoder, const VaeConfig& config, const at::Tensor& latents,
                        const VaeTiling& tiling, const BetweenTiles& between) {
  if (tiling.split >= decoder.stages()) return decoder.forward(latents);
  if (between) between();
  const at::Tensor features = decoder.head(latents, tiling.split);
  if (between) between();
  SharedMoments moments;
  const std::int64_t side = tiling.tile + 2 * decode_halo(config, tiling.split);
  (void)decoder.tail(reduced(features, side, 1), tiling.split, &moments);
  return decode_tiles(decoder, config, features, tiling, moments, between);
}

at::Tensor encode_tiles(const VaeEncoder& encoder, const VaeConfig& config, const at::Tensor& image,
                        const VaeTiling& tiling, SharedMoments& moments, const BetweenTiles& between) {
  const std::int64_t halo = encode_halo(config, tiling.split);
  const std::int64_t factor = std::int64_t{1} << tiling.split;
  const std::int64_t height = image.size(2) / factor, width = image.size(3) / factor;
  at::Tensor features;
  for (const Span& y : spans(height, tiling.tile, halo))
    for (const Span& x : spans(width, tiling.tile, halo)) {
      if (between) between();
      moments.replay();
      const at::Tensor tile =
          encoder.head(crop(image, y.begin * factor, x.begin * factor, y.length * factor, x.length * factor),
                       tiling.split, &moments);
      if (!features.defined()) features = at::empty({1, tile.size(1), height, width}, tile.options());
      crop(features, y.core_begin, x.core_begin, y.core_length, x.core_length)
          .copy_(crop(tile, y.core_begin - y.begin, x.core_begin - x.begin, y.core_length, x.core_length));
    }
  return features;
}

Posterior encode_tiled(const VaeEncoder& encoder, const VaeConfig& config, const at::Tensor& image,
                       const VaeTiling& tiling, const BetweenTiles& between) {
  if (tiling.split <= 0) return encoder.forward(image);
  if (between) between();
  SharedMoments moments;
  const std::int64_t factor = std::int64_t{1} << tiling.split;
  const std::int64_t side = (tiling.tile + 2 * encode_halo(config, tiling.split)) * factor;
  (void)encoder.head(reduced(image, side, factor), tiling.split, &moments);
  const at::Tensor features = encode_tiles(encoder, config, image, tiling, moments, between);
  if (between) between();
  return encoder.tail(features, tiling.split);
}

}  // namespace waggle::pipeline

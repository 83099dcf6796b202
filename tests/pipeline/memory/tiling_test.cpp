// Tiled decoding and encoding beside the untiled: equal where the moments are those of the whole, close where
// they come from the reduced whole, and without a seam either way.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <catch2/catch.hpp>

#include "pipeline/models/vae_tiling.h"
#include "tests/pipeline/memory/networks.h"

using namespace waggle::pipeline;
using testing::Vae;

namespace {

std::shared_ptr<const ops::Operations> fp32() { return ops::reference_operations(at::kCPU, at::kFloat); }

/// Noise of all sizes, the larger the stronger, as pictures have it; the left half is smoother.
at::Tensor scene(std::int64_t channels, std::int64_t height, std::int64_t width) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  at::Tensor sum = at::zeros({1, channels, height, width});
  for (std::int64_t cells = 2; cells <= 64; cells *= 2) {
    const at::Tensor noise = at::randn({1, channels, cells, cells}, generator, at::TensorOptions(at::kFloat));
    at::Tensor octave = at::upsample_bilinear2d(noise, {height, width}, false) / static_cast<double>(cells);
    if (cells > 8) octave = octave * at::linspace(0, 1, width).view({1, 1, 1, width});
    sum += octave;
  }
  return sum / at::std(sum);
}

double relative(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}
double largest(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

}  // namespace

TEST_CASE("tiling: with the moments of the whole picture, tiles give the untiled picture up to rounding") {
  const c10::InferenceMode no_gradients;
  const Vae vae(testing::vae_config({16, 32, 32, 32}, 8), fp32());
  const at::Tensor latents = scene(4, 44, 37);
  const at::Tensor untiled = vae.decoder.forward(latents);
  for (const int split : {1, 2, 3})
    for (const std::int64_t tile : {9, 16, 300}) {
      INFO("split " << split << ", tile " << tile);
      const at::Tensor features = vae.decoder.head(latents, split);
      SharedMoments moments;
      (void)vae.decoder.tail(features, split, &moments);
      int calls = 0;
      const at::Tensor tiled =
          decode_tiles(vae.decoder, vae.config, features, {split, tile}, moments, [&] { ++calls; });
      CHECK(largest(tiled, untiled) < 2e-5);
      const auto along = [&](std::int64_t cells) { return (cells + tile - 1) / tile; };
      CHECK(calls == along(features.size(2)) * along(features.size(3)));
    }
}

TEST_CASE("tiling: an encoder's tiles give the untiled posterior up to rounding") {
  const c10::InferenceMode no_gradients;
  const Vae vae(testing::vae_config({16, 32, 32, 32}, 8), fp32());
  const at::Tensor image = scene(3, 184, 136).clamp(-1, 1);
  const Posterior untiled = vae.encoder.forward(image);
  for (const int split : {1, 2, 3})
    for (const std::int64_t tile : {7, 16, 300}) {
      INFO("split " << split << ", tile " << tile);
      SharedMoments moments;
      (void)vae.encoder.head(image, split, &moments);
      const at::Tensor features = encode_tiles(vae.encoder, vae.config, image, {split, tile}, moments, {});
      const Posterior tiled = vae.encoder.tail(features, split);
      CHECK(largest(tiled.mean, untiled.mean) < 2e-5);
      CHECK(largest(tiled.std, untiled.std) < 2e-5);
    }
}

TEST_CASE(
    "tiling: with moments of the reduced whole a picture deviates by less than 3 percent, and nowhere by "
    "more") {
  const c10::InferenceMode no_gradients;
  const Vae vae(testing::vae_config({32, 64, 64, 64}, 8), fp32());
  const at::Tensor latents = scene(4, 96, 128);
  const at::Tensor untiled = vae.decoder.forward(latents);
  for (const auto& [split, tile] : {std::pair{1, 32}, {2, 64}, {3, 128}}) {
    const at::Tensor tiled = decode_tiled(vae.decoder, vae.config, latents, {split, tile});
    INFO("split " << split << ": relative " << relative(tiled, untiled) << ", largest "
                  << largest(tiled, untiled));
    CHECK(relative(tiled, untiled) < 0.03);
    CHECK(largest(tiled, untiled) < 0.03);
  }
}

TEST_CASE("tiling: where the tiles lie does not show") {
  const c10::InferenceMode no_gradients;
  const Vae vae(testing::vae_config({16, 32, 32, 32}, 8), fp32());
  const at::Tensor latents = scene(4, 48, 48);
  const at::Tensor features = vae.decoder.head(latents, 2);
  SharedMoments moments;  // of a part alone: whatever they are, no seam may come of it
  (void)vae.decoder.tail(features.narrow(2, 0, 32).narrow(3, 20, 32), 2, &moments);
  const at::Tensor one = decode_tiles(vae.decoder, vae.config, features, {2, 96}, moments, {});
  const at::Tensor many = decode_tiles(vae.decoder, vae.config, features, {2, 11}, moments, {});
  CHECK(largest(many, one) < 2e-5);
}

TEST_CASE(
    "tiling: encoded with moments of the reduced whole, the posterior's mean deviates by less than 3 "
    "percent") {
  const c10::InferenceMode no_gradients;
  const Vae vae(testing::vae_config({32, 64, 64, 64}, 8), fp32());
  const at::Tensor image = scene(3, 512, 384).clamp(-1, 1);
  const Posterior untiled = vae.encoder.forward(image);
  for (const auto& [split, tile] : {std::pair{1, 96}, {2, 48}}) {
    const Posterior tiled = encode_tiled(vae.encoder, vae.config, image, {split, tile});
    INFO("split " << split << ": relative " << relative(tiled.mean, untiled.mean));
    CHECK(relative(tiled.mean, untiled.mean) < 0.03);
  }
}

TEST_CASE("tiling: between two tiles the work can be given up") {
  const c10::InferenceMode no_gradients;
  const Vae vae(testing::vae_config({16, 32, 32, 32}, 8), fp32());
  int calls = 0;
  const auto give_up = [&] {
    if (++calls == 5) throw std::runtime_error("enough");
  };
  CHECK_THROWS_WITH(decode_tiled(vae.decoder, vae.config, scene(4, 48, 48), {1, 12}, give_up), "enough");
  CHECK(calls == 5);
}

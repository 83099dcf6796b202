// Encoding scenes, several threads side by side.
#include "pipeline/training/latent_store.h"

#include <algorithm>
#include <cstdio>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "pipeline/training/pictures.h"
#include "pipeline/training/purposes.h"
#include "pipeline/training/recipe.h"
#include "pipeline/training/shards.h"
#include "pipeline/weights/safetensors_writer.h"
#include "pipeline/weights/weight_source.h"

namespace waggle::training {
namespace {

constexpr std::int64_t kBatch = 32;       // scenes
constexpr std::uint64_t kMeasured = 512;  // likewise

/// What the scaling factor is measured on: as scenes come, so that it does not depend on how lessons are
/// chosen.
std::vector<Scene> measured_scenes(std::uint64_t seed) {
  std::vector<Scene> scenes;
  for (std::uint64_t i = 0; i < kMeasured; ++i) {
    auto generator = generator_for(seed, kStoredScenes, i);
    scenes.push_back(random_scene(generator));
  }
  return scenes;
}

std::vector<Scene> part(const std::vector<Scene>& scenes, std::int64_t first, std::int64_t count) {
  return {scenes.begin() + first, scenes.begin() + first + count};
}

}  // namespace

std::vector<Scene> scenes_for(std::uint64_t seed, std::int64_t count) {
  std::vector<Scene> scenes;
  for (std::int64_t i = 0; i < count; ++i) {
    auto generator = generator_for(seed, kStoredScenes, static_cast<std::uint64_t>(i));
    scenes.push_back(i % 4 == 0   ? scene_on_paper(generator)
                     : i % 2 == 0 ? random_scene(generator)
                                  : harder_scene(generator));
  }
  return scenes;
}

LatentStore make_latents(const Autoencoder& model, std::uint64_t seed, std::int64_t count, int threads,
                         const std::filesystem::path& file) {
  LatentStore store{{}, scenes_for(seed, count), 1};
  if (std::filesystem::exists(file)) {
    pipeline::FileWeights source({file});
    if (source.take("seed", {1}).item<std::int64_t>() == static_cast<std::int64_t>(seed) &&
        source.take("count", {1}).item<std::int64_t>() == count) {
      store.scaling = source.take("scaling", {1}).item<float>();
      store.latents = source.take("latents", {count, 4, kLatentSide, kLatentSide}).clone();
      return store;
    }
  }
  store.scaling = scaling_factor(model, measured_scenes(seed));
  store.latents = at::empty({count, 4, kLatentSide, kLatentSide}, at::kHalf);
  const std::int64_t batches = (count + kBatch - 1) / kBatch;
  in_parallel(threads, [&](int thread) {
    const c10::NoGradGuard no_grad;
    for (std::int64_t batch = thread; batch < batches; batch += threads) {
      const std::int64_t first = batch * kBatch, size = std::min(kBatch, count - first);
      store.latents.narrow(0, first, size)
          .copy_(model.encode(pictures_of(part(store.scenes, first, size))).mul(store.scaling));
      if (batch % 128 == 0) {
        std::printf("latents  %lld of %lld\n", static_cast<long long>(first), static_cast<long long>(count));
        std::fflush(stdout);
      }
    }
  });
  pipeline::write_safetensors(file, {{"latents", store.latents},
                                     {"scaling", at::full({1}, store.scaling, at::kFloat)},
                                     {"seed", at::full({1}, static_cast<std::int64_t>(seed), at::kLong)},
                                     {"count", at::full({1}, count, at::kLong)}});
  return store;
}

}  // namespace waggle::training

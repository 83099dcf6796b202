// The autoencoder of Stable Diffusion 1.5 at its full size with random weights, on pictures that do not fit:
// what the process really takes, by the kernel's count. Minutes of work, so not part of a plain run.
#include <fstream>
#include <string>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <catch2/catch.hpp>
#include <unistd.h>

#include "pipeline/engine/allocator.h"
#include "pipeline/engine/tiling_choice.h"
#include "tests/pipeline/memory/networks.h"

using namespace waggle::pipeline;
using testing::Vae;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

std::int64_t status_bytes(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key + ":")) return std::stoll(line.substr(key.size() + 1)) * 1024;
  return 0;
}

/// Sets VmHWM back to what is resident now.
bool reset_peak() {
  std::ofstream clear("/proc/self/clear_refs");
  clear << "5" << std::flush;
  return clear.good();
}

void decode_within_budget(std::int64_t pixels, std::int64_t budget) {
  const c10::InferenceMode no_gradients;
  auto operations = ops::avx512_bf16_operations();
  if (!operations) operations = ops::reference_operations(at::kCPU, at::kFloat);
  const Vae vae(testing::vae_config({128, 256, 512, 512}, 32), operations);
  const ActivationKind kind = ActivationKind::of(*operations);
  (void)vae.decoder.forward(at::randn({1, 4, 8, 8}));  // packs weights
  const std::int64_t cells = pixels / 8;
  const auto tiling = decode_tiling(vae.config, cells, cells, kind, budget);
  const at::Tensor latents = at::randn({1, 4, cells, cells});
  const ThriftyMemory thrifty;
  REQUIRE(reset_peak());
  const std::int64_t before = status_bytes("VmRSS");
  int pieces = 0;
  at::Tensor image = tiling ? decode_tiled(vae.decoder, vae.config, latents, *tiling, [&] { ++pieces; })
                            : vae.decoder.forward(latents);
  const std::int64_t grown = status_bytes("VmHWM") - before;
  WARN(operations->name() << ", " << pixels << "x" << pixels << ", budget " << budget / kMiB << " MiB: split "
                          << (tiling ? tiling->split : 0) << ", tile " << (tiling ? tiling->tile : 0) << ", "
                          << pieces << " pieces, estimated "
                          << decode_bytes(vae.config, cells, cells, kind, tiling) / kMiB << " MiB, grew by "
                          << grown / kMiB << " MiB; untiled it would be "
                          << decode_bytes(vae.config, cells, cells, kind) / kMiB << " MiB");
  CHECK(image.sizes() == at::IntArrayRef({1, 3, pixels, pixels}));
  CHECK(at::isfinite(image).all().item<bool>());
  // Everything counts: weights packed anew for the shapes of tiles, and what the allocator leaves lying
  // about.
  CHECK(grown <= budget);
}

}  // namespace

TEST_CASE("full size: 1024x1024 pixels are decoded under a budget of 512 MiB", "[.slow]") {
  decode_within_budget(1024, 512 * kMiB);
}

TEST_CASE("full size: 2048x2048 pixels are decoded under a budget of 2 GiB", "[.slow]") {
  decode_within_budget(2048, 2048 * kMiB);
}

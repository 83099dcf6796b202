// Estimates of memory beside what the tensors of a run really took: never too little, at most twice too much.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <catch2/catch.hpp>

#include "pipeline/engine/tiling_choice.h"
#include "pipeline/ops/fast.h"
#include "tests/pipeline/memory/counted_memory.h"
#include "tests/pipeline/memory/networks.h"

using namespace waggle::pipeline;
using testing::CountedMemory;
using testing::Vae;

namespace {

/// Every implementation that this machine has on its CPU.
std::vector<std::shared_ptr<const ops::Operations>> implementations() {
  std::vector all{ops::reference_operations(at::kCPU, at::kFloat),
                  ops::reference_operations(at::kCPU, at::kBFloat16)};
  for (const auto& make :
       {ops::amx_bf16_operations, ops::avx512_bf16_operations, ops::avx512_operations, ops::avx2_operations})
    if (auto fast = make()) all.push_back(std::move(fast));
  return all;
}

void check(const char* what, std::int64_t estimated, std::int64_t measured) {
  constexpr double kMiB = 1 << 20;
  INFO(what << ": estimated " << static_cast<double>(estimated) / kMiB << " MiB, measured "
            << static_cast<double>(measured) / kMiB << " MiB");
  CHECK(estimated >= measured);
  CHECK(estimated <= 2 * measured);
}

}  // namespace

TEST_CASE("memory: a decode takes between half of what is estimated and all of it") {
  const c10::InferenceMode no_gradients;
  for (const auto& operations : implementations()) {
    const Vae vae(testing::vae_config({32, 64, 128, 128}, 8), operations);
    const ActivationKind kind = ActivationKind::of(*operations);
    (void)vae.decoder.forward(at::randn({1, 4, 8, 8}));  // packs weights
    for (const auto& [height, width] : {std::pair{32, 32}, {40, 64}}) {
      const at::Tensor latents = at::randn({1, 4, height, width});
      const auto run = [&](const std::optional<VaeTiling>& tiling) {
        INFO(operations->name() << " " << kind.element_bytes << " bytes, " << height << "x" << width
                                << " split " << (tiling ? tiling->split : 0) << " tile "
                                << (tiling ? tiling->tile : 0));
        const CountedMemory memory;
        at::Tensor image =
            tiling ? decode_tiled(vae.decoder, vae.config, latents, *tiling) : vae.decoder.forward(latents);
        image = at::clamp(image / 2 + 0.5, 0.0, 1.0);
        check("decode", decode_bytes(vae.config, height, width, kind, tiling), memory.peak());
      };
      run({});
      run(VaeTiling{1, 16});
      run(VaeTiling{2, 32});
      run(VaeTiling{3, 48});
    }
  }
}

TEST_CASE("memory: an encode takes between half of what is estimated and all of it") {
  const c10::InferenceMode no_gradients;
  for (const auto& operations : implementations()) {
    const Vae vae(testing::vae_config({32, 64, 128, 128}, 8), operations);
    const ActivationKind kind = ActivationKind::of(*operations);
    (void)vae.encoder.forward(at::randn({1, 3, 64, 64}));
    const at::Tensor image = at::randn({1, 3, 320, 256});
    for (const std::optional<VaeTiling>& tiling :
         {std::optional<VaeTiling>{}, {VaeTiling{1, 48}}, {VaeTiling{2, 32}}}) {
      INFO(operations->name() << " " << kind.element_bytes << " bytes, split "
                              << (tiling ? tiling->split : 0));
      const CountedMemory memory;
      (void)(tiling ? encode_tiled(vae.encoder, vae.config, image, *tiling) : vae.encoder.forward(image));
      check("encode", encode_bytes(vae.config, 40, 32, kind, tiling), memory.peak());
    }
  }
}

TEST_CASE(
    "memory: a UNet call takes between half of what is estimated and all of it, at any size and batch") {
  const c10::InferenceMode no_gradients;
  const UNetConfig config = testing::unet_config(32, 4);
  for (const auto& operations : implementations()) {
    RandomWeights weights;
    const UNet unet(Builder(weights, *operations), config);
    const ActivationKind kind = ActivationKind::of(*operations);
    for (const auto& [rows, height, width] : {std::tuple{1, 24, 32}, {2, 64, 64}, {6, 32, 40}, {2, 96, 64}}) {
      // Plain libtorch multiplies bf16 matrices a hundred times slower: one small call tells as much.
      if (!kind.fused && kind.element_bytes == 2 && rows > 1) continue;
      const UNetContext context = unet.prepare(at::randn({rows, 77, 64}), {}, {});
      const at::Tensor sample = at::randn({rows, 4, height, width}), t = at::full({rows}, 500.0);
      (void)unet.forward(sample, t, context);  // packs weights
      INFO(operations->name() << " " << kind.element_bytes << " bytes, " << rows << " rows " << height << "x"
                              << width);
      const CountedMemory memory;
      (void)unet.forward(sample, t, context);
      check("call", unet_call_bytes(config, rows, height, width, kind), memory.peak());
    }
  }
}

TEST_CASE("memory: attention never makes all its scores") {
  const c10::InferenceMode no_gradients;
  const auto fp32 = ops::reference_operations(at::kCPU, at::kFloat);
  const at::Tensor q = at::randn({1, 20'000, 8});  // all scores would take 1.5 GiB
  const CountedMemory memory;
  const at::Tensor out = fp32->attention(q, q, q, 1, false);
  CHECK(memory.peak() < 3 * ops::kMaxAttentionScores * 4);
  const at::Tensor few = q.narrow(1, 7000, 3);
  CHECK(at::allclose(fp32->attention(few, q, q, 1, false), out.narrow(1, 7000, 3), 1e-4, 1e-5));
}

TEST_CASE(
    "memory: a tiling keeps within the budget, and the work that is repeated small where there is room") {
  const VaeConfig full = testing::vae_config({128, 256, 512, 512}, 32);
  const ActivationKind fp32{4, false}, fused{2, true};
  constexpr std::int64_t kGiB = std::int64_t{1} << 30;
  CHECK_FALSE(decode_tiling(full, 64, 64, fp32, 6 * kGiB));
  for (const std::int64_t budget : {2 * kGiB, 3 * kGiB})
    for (const auto& kind : {fp32, fused}) {
      const auto decode = decode_tiling(full, 256, 256, kind, budget);  // 2048x2048 pixels
      REQUIRE(decode);
      CHECK(decode_bytes(full, 256, 256, kind, decode) <= budget);
      const auto encode = encode_tiling(full, 256, 256, kind, budget);
      REQUIRE(encode);
      CHECK(encode_bytes(full, 256, 256, kind, encode) <= budget);
    }
  CHECK(decode_tiling(full, 256, 256, fp32, 6 * kGiB)->split >
        decode_tiling(full, 256, 256, fp32, 2 * kGiB)->split);
  // Nothing fits into nothing: the thriftiest is named, so that its need can be.
  const auto thriftiest = decode_tiling(full, 256, 256, fp32, 1);
  REQUIRE(thriftiest);
  CHECK(decode_bytes(full, 256, 256, fp32, thriftiest) > kGiB / 2);
}

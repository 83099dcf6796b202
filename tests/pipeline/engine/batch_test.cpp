// Latents of runs that share UNet calls beside the latents of the same runs alone, in fp32.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <catch2/catch.hpp>

#include "pipeline/engine/image_run.h"

using namespace waggle;
using namespace waggle::pipeline;

namespace {

struct Wish {
  const char* sampler;
  const char* prompt;
  int steps;
  double guidance;
  std::int64_t seed;
};
// Other samplers, other lengths, other guidance: nothing is equal but the latent size.
const Wish kWishes[] = {{"euler", "a cat", 5, 7.5, 1},
                        {"pndm", "a red circle, detailed", 9, 3.0, 2},
                        {"euler_ancestral", "", 7, 1.0, 3},
                        {"ddim", "mountains at dawn", 4, 12.0, 4}};

std::unique_ptr<ImageRun> start(const StableDiffusion& model, const Wish& wish) {
  PlanRequest request;
  request.sampler = wish.sampler;
  request.steps = wish.steps;
  const auto plan = make_plan(model.scheduler(), request);
  REQUIRE(plan);
  Prompts prompts;
  prompts.positive = wish.prompt;
  prompts.negative = "blurry";
  auto noise = std::make_unique<SeededNoise>(wish.seed);
  ImageStart from = start_image(model, **plan, {}, 8, 8, *noise);
  return std::make_unique<ImageRun>(*plan, std::make_shared<const Conditioning>(model.encode(prompts)),
                                    Guidance{wish.guidance, 0.0}, std::move(noise), std::move(from));
}

/// Drives runs to their ends, all that still wait in one call.
void finish(const StableDiffusion& model, const std::vector<ImageRun*>& runs) {
  ContextCache cache;
  std::vector<ImageRun*> waiting = runs;
  for (;;) {
    std::erase_if(waiting, [](ImageRun* run) { return !run->advance(); });
    if (waiting.empty()) return;
    answer_together(model.unet(), waiting, cache);
  }
}

}  // namespace

TEST_CASE("batch: runs that share UNet calls end with the latents that each ends with alone, within 1e-4") {
  const c10::InferenceMode no_gradients;
  const auto fp32 = ops::reference_operations(at::kCPU, at::kFloat);
  const StableDiffusion model(find_model_files(std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15"),
                              {fp32, fp32, fp32});
  std::vector<std::unique_ptr<ImageRun>> together;
  std::vector<ImageRun*> pointers;
  for (const Wish& wish : kWishes) pointers.push_back(together.emplace_back(start(model, wish)).get());
  finish(model, pointers);
  for (std::size_t i = 0; i < together.size(); ++i) {
    INFO(kWishes[i].sampler);
    const auto alone = start(model, kWishes[i]);
    finish(model, {alone.get()});
    const double scale = std::max(1.0, alone->latents().abs().max().item<double>());
    CHECK((together[i]->latents() - alone->latents()).abs().max().item<double>() / scale < 1e-4);
  }
}

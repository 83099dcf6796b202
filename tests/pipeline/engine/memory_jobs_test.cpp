// Jobs under memory limits: how many share a call, when the VAE is tiled, which models stay loaded.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>

#include "pipeline/engine/bounded_vae.h"
#include "tests/pipeline/engine/one_render.h"

using namespace waggle;
using namespace waggle::pipeline;
using testing::largest_difference;
using testing::OneRender;

namespace {

const std::filesystem::path kModel = std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15";
constexpr std::int64_t kMiB = 1 << 20;

Options options(std::int64_t budget = 0) {
  Options o;
  o.precision = Precision::fp32;
  o.threads = 1;
  o.memory_budget_bytes = budget;
  return o;
}

JobRequest request(int side, int steps = 2, std::int64_t seed = 5) {
  JobRequest r;
  r.model = "small";
  r.prompt = "a red circle";
  r.seed = seed;
  r.steps = steps;
  r.sampler = "euler";
  r.operation = ImageGeneration{side, side};
  return r;
}

/// What a job is refused with under a budget of 1 MiB: the least that it needs.
std::int64_t least_budget(int side) {
  Pipeline pipeline(options(kMiB));
  REQUIRE(pipeline.load(kModel, "small"));
  const Error error = OneRender(pipeline, request(side)).error();
  REQUIRE(error.code == ErrorCode::out_of_memory);
  INFO(error.message);
  CHECK(error.message.find("the budget is 1 MiB") != std::string::npos);
  const std::string lead = "the picture needs about ";
  REQUIRE(error.message.starts_with(lead));
  return (std::stoll(error.message.substr(lead.size())) + 1) * kMiB;
}

}  // namespace

TEST_CASE("memory jobs: beyond its budget the VAE works over tiles, with hardly another result") {
  const c10::InferenceMode no_gradients;
  const auto fp32 = ops::reference_operations(at::kCPU, at::kFloat);
  const StableDiffusion model(find_model_files(kModel), {fp32, fp32, fp32});
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(4);
  const at::Tensor coarse = at::randn({1, 4, 6, 6}, generator, at::TensorOptions(at::kFloat));
  const at::Tensor latents = at::upsample_bilinear2d(coarse, {24, 24}, false);
  int pieces = 0;
  const VaeBounds tight{1, [&] { ++pieces; }};
  const at::Tensor whole = decode_within(model, latents, {}), tiled = decode_within(model, latents, tight);
  CHECK(pieces > 4);
  CHECK(tiled.sizes() == whole.sizes());
  CHECK((tiled - whole).abs().mean().item<double>() < 0.03);
  CHECK(least_decode_bytes(model, 24, 24, 1) < least_decode_bytes(model, 24, 24, std::int64_t{1} << 40));

  const at::Tensor image = whole * 2 - 1;
  const at::Tensor mean = encode_within(model, image, {}).mean;
  // The smallest tiles there are, on a picture as small as this: the worst that moments of the reduced whole
  // do.
  CHECK((encode_within(model, image, tight).mean - mean).norm().item<double>() <
        0.2 * mean.norm().item<double>());
}

TEST_CASE("memory jobs: the budget limits how many images share a call") {
  const auto images_per_call = [](std::int64_t budget) {
    Pipeline pipeline(options(budget));
    REQUIRE(pipeline.load(kModel, "small"));
    JobRequest many = request(256, 3);
    many.n = 8;
    OneRender render(pipeline, many);
    REQUIRE(render.wait());
    const EngineStats stats = pipeline.stats();
    CHECK(stats.unet_images == 8 * 3);
    return static_cast<double>(stats.unet_images) / static_cast<double>(stats.unet_calls);
  };
  CHECK(images_per_call(0) == 8.0);
  CHECK(images_per_call(least_budget(256)) < 8.0);
}

TEST_CASE("memory jobs: a second pass that does not fit is refused before the first begins") {
  Pipeline pipeline(options(least_budget(128)));
  REQUIRE(pipeline.load(kModel, "small"));
  CHECK(OneRender(pipeline, request(128)).wait());
  JobRequest large = request(128);
  large.operation = ImageGeneration{128, 128, Hires{8.0, {}, {}, Upscaler::latent, {}, 0.5}};
  OneRender refused(pipeline, large);
  CHECK(refused.error().code == ErrorCode::out_of_memory);
  CHECK(refused.steps() == 0);
}

TEST_CASE("memory jobs: models beyond the limit are given up, and loaded again when a job wants them") {
  std::int64_t one = 0;
  {
    Pipeline probe(options());
    REQUIRE(probe.load(kModel, "a"));
    one = probe.model_bytes("a");
    REQUIRE(one > 0);
  }
  Options two = options();
  two.model_memory_bytes = one * 5 / 2;
  Pipeline pipeline(two);
  for (const char* name : {"a", "b", "c"}) REQUIRE(pipeline.load(kModel, name));
  CHECK(pipeline.model_bytes("a") == 0);
  CHECK(pipeline.model_bytes("b") == one);
  CHECK(pipeline.model_bytes("c") == one);
  JobRequest r = request(64);
  r.model = "a";
  CHECK(OneRender(pipeline, r).wait());
  CHECK(pipeline.model_bytes("a") == one);
  CHECK(pipeline.model_bytes("b") == 0);
  pipeline.unload("a");
  CHECK(OneRender(pipeline, r).error().code == ErrorCode::unknown_model);

  Options none = options();
  none.model_memory_bytes = one / 2;
  Pipeline small(none);
  const auto refused = small.load(kModel, "a");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::out_of_memory);
}

TEST_CASE(
    "memory jobs: loading other models does not stop the running batch, nor does it take its model away") {
  std::int64_t one = 0;
  Options o = options();
  {
    Pipeline probe(o);
    REQUIRE(probe.load(kModel, "small"));
    one = probe.model_bytes("small");
  }
  o.model_memory_bytes = one;  // every load would have to give another model up
  Pipeline pipeline(o);
  REQUIRE(pipeline.load(kModel, "small"));
  OneRender running(pipeline, request(64, 400));
  running.wait_for_steps(5);
  const std::size_t before = running.steps();
  int loads = 0;
  while (running.steps() < before + 20) {  // ends only because steps go on meanwhile
    REQUIRE(pipeline.load(kModel, "other" + std::to_string(loads++)));
    CHECK(pipeline.model_bytes("small") == one);
  }
  CHECK(loads > 0);
  CHECK(running.wait());
}

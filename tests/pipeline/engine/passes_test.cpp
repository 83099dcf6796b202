// Images of several stages: a refiner that takes over, a second pass at a larger size.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <catch2/catch.hpp>

#include "pipeline/engine/image_run.h"
#include "pipeline/image/resize.h"
#include "tests/pipeline/engine/one_render.h"

using namespace waggle;
using namespace waggle::pipeline;
using testing::largest_difference;
using testing::OneRender;

namespace {

const std::filesystem::path kModel = std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15";

Options options() {
  Options o;
  o.precision = Precision::fp32;
  o.threads = 1;
  return o;
}

JobRequest request(std::int64_t seed = 5, int steps = 6) {
  JobRequest r;
  r.model = "small";
  r.prompt = "a red circle";
  r.seed = seed;
  r.steps = steps;
  r.sampler = "euler";
  r.operation = ImageGeneration{64, 64};
  return r;
}

JobRequest enlarged(Hires hires, std::int64_t seed = 5) {
  JobRequest r = request(seed);
  r.operation = ImageGeneration{64, 64, hires};
  return r;
}

struct Ready {
  explicit Ready(Options o = options()) : pipeline(std::move(o)) {
    REQUIRE(pipeline.load(kModel, "small"));
    REQUIRE(pipeline.load(kModel, "twin"));
  }
  Pipeline pipeline;
};

at::Tensor run_to_end(const StableDiffusion& model, ImageRun& run) {
  ContextCache cache;
  ImageRun* const runs[] = {&run};
  while (run.advance()) answer_together(model.unet(), runs, cache);
  return run.latents();
}

}  // namespace

TEST_CASE("passes: a run that is handed over ends where the unbroken one does, for samplers without memory") {
  const c10::InferenceMode no_gradients;
  const auto fp32 = ops::reference_operations(at::kCPU, at::kFloat);
  const StableDiffusion model(find_model_files(kModel), {fp32, fp32, fp32});
  Prompts prompts;
  prompts.positive = "a red circle";
  const auto conditioning = std::make_shared<const Conditioning>(model.encode(prompts));
  for (const char* sampler : {"euler", "ddim", "heun", "euler_ancestral"})
    for (const double share : {0.001, 0.3, 0.8, 0.999}) {
      INFO(sampler << " at " << share);
      const auto plan = [&](std::optional<double> from, std::optional<double> until) {
        PlanRequest r;
        r.sampler = sampler;
        r.steps = 9;
        r.from = from;
        r.until = until;
        auto made = make_plan(model.scheduler(), r);
        REQUIRE(made);
        return *made;
      };
      const auto whole = plan({}, {}), first = plan({}, share), rest = plan(share, {});
      CHECK(first->evaluations() + rest->evaluations() == whole->evaluations());
      CHECK_FALSE(whole->hands_over());
      CHECK(first->hands_over() == (first->evaluations() < whole->evaluations()));

      const auto begin = [&](const std::shared_ptr<const Plan>& which) {
        auto noise = std::make_unique<SeededNoise>(3);
        ImageStart start = start_image(model, *which, {}, 8, 8, *noise);
        return std::make_unique<ImageRun>(which, conditioning, Guidance{}, std::move(noise),
                                          std::move(start));
      };
      const at::Tensor unbroken = run_to_end(model, *begin(whole));
      const auto half = begin(first);
      run_to_end(model, *half);
      auto [start, noise] = half->hand_over();
      ImageRun other(rest, conditioning, Guidance{}, std::move(noise), std::move(start));
      const at::Tensor both = run_to_end(model, other);
      CHECK((both - unbroken).abs().max().item<double>() <= 1e-5 * unbroken.abs().max().item<double>());
    }
}

TEST_CASE("passes: a refiner that is the model itself changes nothing, for text, pictures and masks") {
  Ready ready;
  const Picture first = OneRender(ready.pipeline, request(9)).picture();
  const PictureInput input{encode(first, OutputFormat::png)};
  const PictureInput mask{encode(
      Picture{8, 8, 1, std::vector<std::uint8_t>{0, 0, 0,   0,   0,   0, 0, 0, 0, 0, 0,   0,   0,   0, 0, 0,
                                                 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 255, 255, 255, 0, 0, 0,
                                                 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0,   0,   0,   0, 0, 0,
                                                 0, 0, 0,   0,   0,   0, 0, 0, 0, 0, 0,   0,   0,   0, 0, 0}},
      OutputFormat::png)};
  for (const Operation& operation :
       {Operation(ImageGeneration{64, 64}), Operation(ImageTransform{input, 0.7, {}, {}}),
        Operation(ImageInpaint{input, mask, 0.9, {}, {}})}) {
    INFO(name(operation));
    JobRequest alone = request();
    alone.operation = operation;
    JobRequest shared = alone;
    shared.refiner = Refiner{"twin", 0.6};
    OneRender a(ready.pipeline, alone), b(ready.pipeline, shared);
    CHECK(largest_difference(a.picture(), b.picture()) <= 1);
    CHECK(a.last_step() == b.last_step());
    CHECK(b.parameters().find("Refiner: twin, Refiner switch at: 0.6") != std::string::npos);
  }
}

TEST_CASE("passes: a refiner that nobody loaded is refused by its field") {
  Ready ready;
  JobRequest r = request();
  r.refiner = Refiner{"missing", 0.6};
  const Error error = OneRender(ready.pipeline, r).error();
  CHECK(error.code == ErrorCode::unknown_model);
  REQUIRE(error.fields.size() == 1);
  CHECK(error.fields.front().path == "/refiner/model");
}

TEST_CASE("passes: by pixels the second pass is an image_transform of the enlarged first picture") {
  Ready ready;
  Hires hires;
  hires.upscaler = Upscaler::lanczos;
  hires.width = 96;
  hires.height = 128;
  hires.steps = 8;
  hires.strength = 0.5;
  // One after the other: jobs that share calls differ in the last bit, and pixels are rounded between the
  // passes.
  OneRender both(ready.pipeline, enlarged(hires));
  const Picture enlarged_picture = both.picture();
  const Picture first = OneRender(ready.pipeline, request()).picture();
  JobRequest second = request(5, 8);
  second.operation = ImageTransform{{encode(resize(first, 96, 128), OutputFormat::png)}, 0.5, {}, {}};
  CHECK(largest_difference(enlarged_picture, OneRender(ready.pipeline, second).picture()) == 0);
  CHECK(both.last_step() == std::pair(6 + 4, 6 + 4));
  CHECK(both.parameters().find("Hires resize: 96x128") != std::string::npos);
}

TEST_CASE("passes: every upscaler gives a picture of the second size, told as other readers expect it") {
  Ready ready;
  const Picture small = OneRender(ready.pipeline, request()).picture();
  for (const auto& [upscaler, shown] : {std::pair{Upscaler::latent, "Latent"},
                                        {Upscaler::latent_bicubic, "Latent (bicubic)"},
                                        {Upscaler::latent_nearest, "Latent (nearest)"},
                                        {Upscaler::nearest, "Nearest"}}) {
    Hires hires;
    hires.upscaler = upscaler;
    hires.scale = 1.5;
    OneRender render(ready.pipeline, enlarged(hires));
    const Picture picture = render.picture();
    CHECK(picture.width == 96);
    CHECK(picture.height == 96);
    const std::string text = render.parameters();
    INFO(text);
    CHECK(text.find("Size: 64x64") != std::string::npos);
    CHECK(text.find("Denoising strength: 0.7, Hires upscale: 1.5, Hires steps: 6, Hires upscaler: " +
                    std::string(shown)) != std::string::npos);
    CHECK(render.wait()->resolved.operation ==
          Operation(ImageGeneration{64, 64, Hires{{}, 96, 96, upscaler, 6, 0.7}}));
  }
}

TEST_CASE("passes: the images of a hires job are what their seeds give alone, beside other jobs") {
  Ready ready;
  Hires hires;
  JobRequest many = enlarged(hires);
  many.n = 3;
  many.refiner = Refiner{"twin", 0.7};
  OneRender other(ready.pipeline, request(1, 40));
  other.wait_for_steps(2);
  OneRender three(ready.pipeline, many);
  const Picture third = three.picture(2);
  CHECK(three.last_step() == std::pair(3 * (6 + 4), 3 * (6 + 4)));
  CHECK(largest_difference(third, OneRender(ready.pipeline, enlarged(hires, 7)).picture()) <= 1);
  CHECK(largest_difference(other.picture(), OneRender(ready.pipeline, request(1, 40)).picture()) <= 1);
}

TEST_CASE("passes: a cancel is heard between two steps of the second pass, and before a picture is decoded") {
  Ready ready;
  const auto cancel_at = [&](int when) {
    return [&ready, when](Ticket ticket, int step) {
      if (step == when) ready.pipeline.cancel(ticket);
    };
  };
  OneRender in_second(ready.pipeline, enlarged(Hires{}), cancel_at(8));
  CHECK(in_second.error().code == ErrorCode::cancelled);
  CHECK(in_second.steps() == 8);
  OneRender at_end(ready.pipeline, request(), cancel_at(6));
  CHECK(at_end.error().code == ErrorCode::cancelled);
}

TEST_CASE("passes: a size that no picture may have is refused where the first one is known") {
  Ready ready;
  Hires hires;
  hires.scale = 8.0;
  JobRequest r = enlarged(hires);
  r.operation = ImageGeneration{{}, 1024, hires};
  const Error error = OneRender(ready.pipeline, r).error();
  CHECK(error.code == ErrorCode::invalid_request);
  REQUIRE_FALSE(error.fields.empty());
  CHECK(error.fields.front().path == "/hires/scale");
}

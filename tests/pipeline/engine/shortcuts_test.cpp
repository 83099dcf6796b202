// What a job may leave out knowingly: off means the exact path to the bit, on means the work that is promised
// and latents that stay near; and no neighbour changes either.
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <catch2/catch.hpp>

#include "pipeline/engine/image_run.h"
#include "pipeline/weights/random_weights.h"
#include "tests/pipeline/engine/one_render.h"
#include "tests/pipeline/memory/networks.h"
#include "tests/schemas/tiny_picture.h"

using namespace waggle;
using namespace waggle::pipeline;
using waggle::pipeline::testing::largest_difference;
using waggle::pipeline::testing::OneRender;

namespace {

constexpr int kSteps = 20;

/// A small network of SD 1.5's shape, with what a run needs beside it.
struct Network {
  std::shared_ptr<const ops::Operations> operations = ops::reference_operations(at::kCPU, at::kFloat);
  RandomWeights weights;
  UNet unet{Builder(weights, *operations), waggle::pipeline::testing::unet_config(32, 4)};
  std::shared_ptr<const Conditioning> conditioning;
  std::shared_ptr<const Plan> plan;

  Network() {
    at::manual_seed(3);
    conditioning = std::make_shared<const Conditioning>(
        Conditioning{at::randn({1, 77, 64}), at::randn({1, 77, 64}), {}, {}, {}});
    PlanRequest request;
    request.sampler = "euler";
    request.steps = kSteps;
    auto made = make_plan(SchedulerConfig{}, request);
    REQUIRE(made);
    plan = *made;
  }

  std::unique_ptr<ImageRun> start(const JobRequest& request, std::int64_t seed = 1) const {
    auto noise = std::make_unique<SeededNoise>(seed);
    ImageStart from;
    from.latents = plan->scale_initial_noise(noise->draw({1, 4, 16, 24}));
    return std::make_unique<ImageRun>(plan, conditioning, Guidance{5.0}, std::move(noise), std::move(from),
                                      ImageRun::StepHook(), std::vector<Control>(),
                                      Shortcuts::of(request, 0, plan->evaluations(), plan->evaluations()));
  }

  struct Outcome {
    at::Tensor latents;
    int rows = 0, shallow_rows = 0;
  };
  Outcome finish(const JobRequest& request, std::int64_t seed = 1) const {
    Outcome outcome;
    ContextCache cache;
    const auto run = start(request, seed);
    ImageRun* const runs[] = {run.get()};
    while (run->advance()) {
      (run->shallow() ? outcome.shallow_rows : outcome.rows) += run->guided() ? 2 : 1;
      answer_together(unet, runs, cache);
    }
    outcome.latents = run->latents();
    return outcome;
  }
};

double relative_error(const at::Tensor& latents, const at::Tensor& exact) {
  return ((latents - exact).norm() / exact.norm()).item<double>();
}

JobRequest interval(double from, double to) {
  JobRequest request;
  request.guidance_interval = Interval{from, to};
  return request;
}
JobRequest deep_cache(int every) {
  JobRequest request;
  request.deep_cache = every;
  return request;
}
JobRequest merging(double share) {
  JobRequest request;
  request.token_merging = share;
  return request;
}

}  // namespace

TEST_CASE(
    "shortcuts: what is off, or set to what changes nothing, leaves the latents as they were, to the bit") {
  const c10::InferenceMode no_gradients;
  const Network network;
  const auto exact = network.finish({});
  CHECK(exact.rows == 2 * kSteps);
  for (const JobRequest& request : {interval(0, 1), deep_cache(1), merging(0.0)}) {
    const auto same = network.finish(request);
    CHECK(same.rows == 2 * kSteps);
    CHECK(same.shallow_rows == 0);
    CHECK(at::equal(same.latents, exact.latents));
  }
}

TEST_CASE("shortcuts: outside of the guidance interval a step has one row, and the latents stay near") {
  const c10::InferenceMode no_gradients;
  const Network network;
  const auto exact = network.finish({});
  for (const auto& [from, to, guided] : {std::tuple{0.0, 0.8, 16},
                                         {0.2, 0.8, 12},
                                         {0.5, 1.0, 10},
                                         {0.24, 0.26, 1},
                                         {0.5, 0.5, 0},
                                         {0.0, 0.0, 0}}) {
    INFO(from << " to " << to);
    CHECK(network.finish(interval(from, to)).rows == kSteps + guided);
  }
  const double error = relative_error(network.finish(interval(0.0, 0.8)).latents, exact.latents);
  CHECK(error > 0);
  CHECK(error < 0.25);
  // Never guided is what a scale of one is.
  CHECK(relative_error(network.finish(interval(1.0, 1.0)).latents, exact.latents) > error);
}

TEST_CASE("shortcuts: the share of a schedule that a refiner goes on with counts from its beginning") {
  const Shortcuts first = Shortcuts::of(interval(0.25, 0.875), 0, 12, 16);
  CHECK(first.guided_from == 4);
  CHECK(first.guided_to == 12);
  const Shortcuts rest = Shortcuts::of(interval(0.25, 0.875), 12, 4, 16);
  CHECK(rest.guided_from == 0);
  CHECK(rest.guided_to == 2);
}

TEST_CASE("shortcuts: between deep steps the UNet runs its outermost layers alone") {
  const c10::InferenceMode no_gradients;
  const Network network;
  const at::Tensor sample = at::randn({2, 4, 15, 18}), t = at::full({2}, 500.0);
  const UNetContext context = network.unet.prepare(at::randn({2, 77, 64}));
  std::map<std::string, int> whole, outermost;
  const auto count = [](std::map<std::string, int>& parts) {
    return [&parts](const std::string& part, const at::Tensor&) { ++parts[part]; };
  };
  at::Tensor deep;
  const at::Tensor expected =
      network.unet.forward(sample, t, context, {}, count(whole), {.merged = 0.0, .deep = &deep});
  CHECK(whole.contains("mid_block"));
  CHECK(at::equal(expected, network.unet.forward(sample, t, context)));
  // With deep features of the same step nothing is lost at all.
  const at::Tensor out = network.unet.outermost(sample, t, context, deep, count(outermost));
  CHECK(at::equal(out, expected));
  CHECK(outermost == std::map<std::string, int>{
                         {"conv_in", 1}, {"time_embedding", 1}, {"up_blocks.3", 1}, {"conv_norm_out", 1}});
}

TEST_CASE("shortcuts: with a deep cache of N every N-th step is whole, and the latents stay near") {
  const c10::InferenceMode no_gradients;
  const Network network;
  const auto exact = network.finish({});
  double before = 0;
  for (const auto& [every, whole, bound] :
       {std::tuple{2, 10, 0.25}, {3, 7, 0.25}, {5, 4, 0.25}, {20, 1, 0.5}}) {
    INFO("every " << every);
    const auto cached = network.finish(deep_cache(every));
    CHECK(cached.rows == 2 * whole);
    CHECK(cached.shallow_rows == 2 * (kSteps - whole));
    const double error = relative_error(cached.latents, exact.latents);
    CHECK(error > before);
    CHECK(error < bound);
    before = error;
  }
}

TEST_CASE("shortcuts: where guidance sets in between two deep steps, that step is whole") {
  const c10::InferenceMode no_gradients;
  const Network network;
  JobRequest request = deep_cache(4);
  request.guidance_interval = Interval{0.3, 0.7};  // steps 6 to 13
  // Whole: 0, 4 (one row), 6, 8, 12 (two), 16 (one).
  const auto outcome = network.finish(request);
  CHECK(outcome.rows == 2 * 1 + 3 * 2 + 1);
  CHECK(outcome.shallow_rows == (kSteps + 8) - outcome.rows);
}

TEST_CASE("shortcuts: merged tokens leave fewer to self attention, and the latents stay near") {
  const c10::InferenceMode no_gradients;
  const Network network;
  const auto exact = network.finish({});
  double before = 0;
  for (const double share : {0.25, 0.5, 0.75}) {
    INFO(share);
    const auto merged = network.finish(merging(share));
    CHECK(merged.rows == 2 * kSteps);
    CHECK(at::equal(merged.latents, network.finish(merging(share)).latents));
    const double error = relative_error(merged.latents, exact.latents);
    CHECK(error > before);
    CHECK(error < 0.25);
    before = error;
  }
}

TEST_CASE("shortcuts: tokens are merged into what they are most like, and each finds its own again") {
  const c10::InferenceMode no_gradients;
  at::manual_seed(5);
  for (const auto& [height, width, share, merged] : {std::tuple{8, 8, 0.5, 32},
                                                     {7, 5, 0.5, 17},
                                                     {7, 5, 0.75, 23},
                                                     {1, 1, 0.75, 0},
                                                     {1, 8, 0.75, 4},
                                                     {4, 4, 0.01, 0}}) {
    INFO(height << "x" << width << " " << share);
    const TokenMerging merging(height, width, share);
    CHECK(merging.merged() == merged);
    CHECK(merging.any() == (merged > 0));
    if (!merging.any()) continue;
    const at::Tensor tokens = at::randn({2, height * width, 6});
    const auto matching = merging.match(tokens);
    const at::Tensor left = merging.merge(tokens, matching);
    CHECK(left.sizes() == at::IntArrayRef{2, height * width - merged, 6});
    const at::Tensor back = TokenMerging::unmerge(left, matching);
    CHECK(back.sizes() == tokens.sizes());
    // What stayed alone comes back as it was; the sum over all tokens is that of the means.
    for (std::int64_t row = 0; row < 2; ++row) {
      const at::Tensor& kept = matching.rows[static_cast<std::size_t>(row)].kept;
      CHECK(at::equal(back[row].index_select(0, kept), tokens[row].index_select(0, kept)));
      CHECK(at::allclose(back[row].sum(0), tokens[row].sum(0), 1e-4, 1e-4));
    }
  }
  // Four equal tokens to each cell of two by two: nothing is lost.
  const at::Tensor cells = at::randn({1, 6, 4, 4}).repeat_interleave(2, 2).repeat_interleave(2, 3);
  const at::Tensor tokens = cells.permute({0, 2, 3, 1}).reshape({1, 64, 6});
  const TokenMerging merging(8, 8, 0.75);
  const auto matching = merging.match(tokens);
  CHECK(at::allclose(TokenMerging::unmerge(merging.merge(tokens, matching), matching), tokens, 1e-5, 1e-6));
}

namespace {

const std::filesystem::path kModel = std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15";

struct Ready {
  Ready() : pipeline(options()) { REQUIRE(pipeline.load(kModel, "small")); }
  static Options options() {
    Options o;
    o.precision = Precision::fp32;
    o.threads = 1;
    return o;
  }
  Pipeline pipeline;
};

JobRequest job(std::int64_t seed, int steps = 12) {
  JobRequest r;
  r.model = "small";
  r.prompt = "a red circle";
  r.seed = seed;
  r.steps = steps;
  r.sampler = "euler";
  r.operation = ImageGeneration{64, 64};
  return r;
}

JobRequest shortened(std::int64_t seed) {
  JobRequest r = job(seed);
  r.guidance_interval = Interval{0.0, 0.75};
  r.deep_cache = 3;
  r.token_merging = 0.5;
  return r;
}

}  // namespace

TEST_CASE(
    "shortcuts: a job alone asks for the rows that its fields promise, and its picture says what it was") {
  Ready ready;
  OneRender render(ready.pipeline, shortened(4));
  const std::string text = render.parameters();
  INFO(text);
  CHECK(text.find("Guidance interval: 0-0.75, Deep cache: 3, Token merging ratio: 0.5") != std::string::npos);
  const EngineStats stats = ready.pipeline.stats();
  CHECK(stats.unet_calls == 12);
  CHECK(stats.unet_rows == 2 + 2 + 2 + 1);          // 0, 3, 6 guided, 9 not
  CHECK(stats.unet_shallow_rows == 6 * 2 + 2 * 1);  // 1, 2, 4, 5, 7, 8 guided, 10 and 11 not
  CHECK(render.wait()->resolved.deep_cache == 3);
}

TEST_CASE(
    "shortcuts: jobs that leave out different things run beside each other and end as each does alone") {
  std::vector<JobRequest> jobs{job(1, 40), shortened(2), job(3), job(4), job(5), job(6)};
  jobs[2].deep_cache = 2;
  jobs[3].guidance_interval = Interval{0.25, 0.5};
  jobs[4].token_merging = 0.75;
  jobs[5].deep_cache = 3;
  jobs[5].n = 2;
  std::vector<Picture> together;
  {
    Ready ready;
    OneRender longest(ready.pipeline, jobs[0]);
    longest.wait_for_steps(2);
    std::vector<std::unique_ptr<OneRender>> renders;
    for (std::size_t i = 1; i < jobs.size(); ++i)
      renders.push_back(std::make_unique<OneRender>(ready.pipeline, jobs[i]));
    together.push_back(longest.picture());
    for (const auto& render : renders) together.push_back(render->picture());
    const EngineStats stats = ready.pipeline.stats();
    CHECK(stats.unet_images > stats.unet_calls);
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    INFO("job " << i);
    Ready ready;
    CHECK(largest_difference(together[i], OneRender(ready.pipeline, jobs[i]).picture()) <= 1);
  }
}

TEST_CASE("shortcuts: hires and a refiner have caches of their own, and cancelled jobs leave none behind") {
  Ready ready;
  REQUIRE(ready.pipeline.load(kModel, "twin"));
  JobRequest both = shortened(7);
  both.operation = ImageGeneration{64, 64, Hires{}};
  both.refiner = Refiner{"twin", 0.6};
  const Picture first = OneRender(ready.pipeline, both).picture();
  CHECK(first.width == 128);
  OneRender doomed(ready.pipeline, shortened(8), [&](Ticket ticket, int step) {
    if (step == 4) ready.pipeline.cancel(ticket);
  });
  CHECK(doomed.error().code == ErrorCode::cancelled);
  CHECK(largest_difference(first, OneRender(ready.pipeline, both).picture()) == 0);
}

TEST_CASE("shortcuts: a deep cache beside a ControlNet is refused by its field") {
  Ready ready;
  JobRequest bad = job(1);
  bad.deep_cache = 2;
  bad.controls = {{"canny", PictureInput{waggle::testing::tiny_png()}}};
  const Error error = OneRender(ready.pipeline, bad).error();
  CHECK(error.code == ErrorCode::invalid_request);
  REQUIRE(error.fields.size() == 1);
  CHECK(error.fields.front().path == "/deep_cache");
  CHECK(error.fields.front().message.find("controls") != std::string::npos);
}

// Runs driven one by one through pipeline/engine/image_run.h, without the engine's threads and the VAE.
#include "tests/pipeline/bench/trade.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <nlohmann/json.hpp>

#include "pipeline/engine/allocator.h"
#include "pipeline/engine/block_arena.h"
#include "pipeline/engine/device.h"
#include "pipeline/engine/image_run.h"
#include "pipeline/models/family_configs.h"
#include "pipeline/weights/random_weights.h"
#include "tests/pipeline/bench/random_model.h"

namespace waggle::bench {
namespace {

using namespace pipeline;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// What is run of a model: the UNet, its noise levels, a prompt as it takes it.
struct Subject {
  std::shared_ptr<const ops::Operations> operations;
  std::optional<StableDiffusion> model;  // from files, or
  RandomWeights weights;                 // of
  std::optional<UNet> random;
  SchedulerConfig scheduler;
  std::shared_ptr<const Conditioning> conditioning;
  double guidance = 7.5;
  std::int64_t channels = 4;

  [[nodiscard]] const UNet& unet() const { return model ? model->unet() : *random; }

  Subject(const Options& o, Precision precision) : operations(unet_operations({}, precision)) {
    o.model_path.empty() ? make_random(o) : load(o);
    if (o.guidance > 0) guidance = o.guidance;
  }

 private:
  void load(const Options& o) {
    const auto text = ops::reference_operations(at::kCPU, at::kFloat);
    model.emplace(find_model_files(o.model_path), ModelOperations{text, operations, operations});
    scheduler = model->scheduler();
    if (const auto description = describe_model(o.model_path, "model"))
      guidance = description->default_guidance;
    channels = model->vae_config().latent_channels;
    Prompts prompts;
    prompts.positive = o.prompt;
    prompts.sizes.original = prompts.sizes.target = {o.height, o.width};
    conditioning = std::make_shared<const Conditioning>(model->encode(prompts));
  }
  void make_random(const Options& o) {
    const FamilyConfigs configs = family_configs(kind_of(o.model));
    const UNetConfig config = UNetConfig::from(configs.unet);
    random.emplace(Builder(weights, *operations), config);
    auto parsed = parse_scheduler_config(configs.scheduler_json);
    if (!parsed) throw std::runtime_error(parsed.error().message);
    scheduler = *parsed;
    at::manual_seed(11);
    const auto text = [&] { return at::randn({1, 77, config.context_width}); };
    const auto pooled = [&] {
      return config.added_width > 0 ? at::randn({1, config.added_width - 6 * config.added_time_width})
                                    : at::Tensor();
    };
    const at::Tensor sizes = config.added_width > 0 ? at::full({1, 6}, 1024.0) : at::Tensor();
    conditioning =
        std::make_shared<const Conditioning>(Conditioning{text(), text(), pooled(), pooled(), sizes});
  }
};

/// Of all threads. On a machine that others use too it says more than the clock on the wall.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Outcome {
  at::Tensor latents;
  double seconds = 0, processor_seconds = 0;
  int rows = 0, shallow_rows = 0;
};

Outcome run(const Options& o, const Subject& subject, const std::shared_ptr<const Plan>& plan,
            const JobRequest& request, std::int64_t seed) {
  auto noise = std::make_unique<SeededNoise>(seed);
  ImageStart start;
  start.latents = plan->scale_initial_noise(noise->draw({1, subject.channels, o.height / 8, o.width / 8}));
  const int evaluations = plan->evaluations();
  ImageRun image(plan, subject.conditioning, Guidance{subject.guidance}, std::move(noise), std::move(start),
                 {}, {}, Shortcuts::of(request, 0, evaluations, evaluations));
  ContextCache cache;
  ImageRun* const runs[] = {&image};
  Outcome out;
  const auto begin = Clock::now();
  const double processor_before = processor_seconds();
  while (image.advance()) {
    (image.shallow() ? out.shallow_rows : out.rows) += image.guided() ? 2 : 1;
    answer_together(subject.unet(), runs, cache);
  }
  out.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  out.processor_seconds = processor_seconds() - processor_before;
  out.latents = image.latents();
  return out;
}

JobRequest shortened(std::optional<Interval> guided, std::optional<int> deep, std::optional<double> merged) {
  JobRequest request;
  request.guidance_interval = guided;
  request.deep_cache = deep;
  request.token_merging = merged;
  return request;
}

struct Measured {
  std::string name;
  JobRequest request;
  const Subject* subject;
  std::vector<double> errors = {}, ratios = {}, processor_ratios = {}, seconds = {};
  int rows = 0, shallow_rows = 0;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

json measure_shortcuts(const Options& o) {
  const c10::InferenceMode no_gradients;
  at::set_num_threads(thread_count(o.threads));
  at::init_num_threads();
  keep_freed_memory();
  keep_tensors_apart();
  const Subject subject(o, precision_from_name(o.precision).value()), int8(o, Precision::int8);
  PlanRequest wish;
  wish.sampler = o.sampler;
  wish.steps = o.steps;
  wish.sdxl = o.model == "sdxl" || (subject.model && subject.model->is_sdxl());
  const auto plan = make_plan(subject.scheduler, wish);
  if (!plan) throw std::runtime_error(to_string(plan.error()));

  std::vector<Measured> all{
      {"guidance_interval 0:0.8", shortened(Interval{0, 0.8}, {}, {}), &subject},
      {"guidance_interval 0:0.5", shortened(Interval{0, 0.5}, {}, {}), &subject},
      {"guidance_interval 0.2:0.8", shortened(Interval{0.2, 0.8}, {}, {}), &subject},
      {"deep_cache 2", shortened({}, 2, {}), &subject},
      {"deep_cache 3", shortened({}, 3, {}), &subject},
      {"deep_cache 5", shortened({}, 5, {}), &subject},
      {"token_merging 0.25", shortened({}, {}, 0.25), &subject},
      {"token_merging 0.5", shortened({}, {}, 0.5), &subject},
      {"token_merging 0.75", shortened({}, {}, 0.75), &subject},
      {"guidance_interval 0:0.8, deep_cache 3", shortened(Interval{0, 0.8}, 3, {}), &subject},
      {"int8", {}, &int8},
      {"int8, deep_cache 3", shortened({}, 3, {}), &int8}};
  std::vector<double> exact_seconds;
  for (const Subject* each : {&subject, &int8})
    (void)run(o, *each, *plan, {}, 1);  // primitives are made, memory is touched
  for (int seed = 1; seed <= o.runs; ++seed) {
    const Outcome exact = run(o, subject, *plan, {}, seed);
    exact_seconds.push_back(exact.seconds);
    for (Measured& m : all) {
      const Outcome outcome = run(o, *m.subject, *plan, m.request, seed);
      m.errors.push_back(((outcome.latents - exact.latents).norm() / exact.latents.norm()).item<double>());
      m.seconds.push_back(outcome.seconds);
      m.ratios.push_back(outcome.seconds / exact.seconds);
      m.processor_ratios.push_back(outcome.processor_seconds / exact.processor_seconds);
      m.rows = outcome.rows;
      m.shallow_rows = outcome.shallow_rows;
    }
  }

  json out{{"operations", subject.operations->name()},
           {"threads", at::get_num_threads()},
           {"steps", o.steps},
           {"seeds", o.runs},
           {"sampler", (*plan)->sampler()},
           {"guidance", subject.guidance},
           {"exact_seconds", median(exact_seconds)}};
  for (const Measured& m : all)
    out["shortcuts"][m.name] = {
        {"relative_error", {{"median", median(m.errors)}, {"max", std::ranges::max(m.errors)}}},
        {"seconds", median(m.seconds)},
        {"time_ratio", median(m.ratios)},
        {"processor_time_ratio", median(m.processor_ratios)},
        {"rows", m.rows},
        {"shallow_rows", m.shallow_rows}};
  return out;
}

}  // namespace waggle::bench

// Golden cases of whole runs, through the same runs and the same shared UNet call that the engine makes, with
// the recorded noise in place of a generator.
#include <deque>

#include <ATen/Functions.h>

#include "pipeline/engine/image_run.h"
#include "tests/golden/cases.h"

namespace waggle::golden {
namespace {

using namespace pipeline;
using nlohmann::json;

/// Hands out recorded draws in order. Draws that the library multiplies by zero were not recorded.
class RecordedNoise final : public NoiseSource {
 public:
  explicit RecordedNoise(std::deque<at::Tensor> draws) : draws_(std::move(draws)) {}
  at::Tensor draw(at::IntArrayRef shape) override {
    if (draws_.empty()) throw std::runtime_error("the run drew more noise than was recorded");
    at::Tensor next = draws_.front();
    draws_.pop_front();
    if (next.sizes() != shape)
      throw std::runtime_error("the run drew noise of another shape than was recorded");
    return next;
  }

 private:
  std::deque<at::Tensor> draws_;
};

std::string text_of(const json& value, std::size_t image) {
  if (value.is_array()) return value[image % value.size()].get<std::string>();
  return value.get<std::string>();
}

class Case {
 public:
  Case(const StableDiffusion& model, const GoldenSet& set, std::string name, std::string full_name,
       Report& report, std::shared_ptr<const ControlNet> controlnet)
      : model_(model),
        set_(set),
        name_(std::move(name)),
        full_(std::move(full_name)),
        report_(report),
        controlnet_(std::move(controlnet)),
        json_(set.json()["cases"][name_]),
        call_(json_["call"]) {}

  void run() {
    plan_ = make_plan();
    const at::Tensor expected = set_.tensor(name_ + ".step_latents");  // [n, B, 4, h, w]
    const std::int64_t images = expected.size(1);
    const SourcePictures source = make_source();
    std::vector<std::unique_ptr<ImageRun>> runs;
    std::vector<std::vector<at::Tensor>> steps(static_cast<std::size_t>(images));
    for (std::int64_t i = 0; i < images; ++i) {
      auto noise = std::make_unique<RecordedNoise>(draws(i));
      ImageStart start = start_image(model_, *plan_, source, expected.size(3), expected.size(4), *noise);
      runs.push_back(std::make_unique<ImageRun>(
          plan_, std::make_shared<const Conditioning>(model_.encode(prompts(static_cast<std::size_t>(i)))),
          Guidance{call_["guidance_scale"].get<double>(), call_.value("guidance_rescale", 0.0)},
          std::move(noise), std::move(start),
          [&seen = steps[static_cast<std::size_t>(i)]](int, const at::Tensor& x) { seen.push_back(x); },
          make_controls()));
    }
    loop(runs);
    compare(runs, steps, expected);
  }

 private:
  std::shared_ptr<const Plan> make_plan() const {
    auto config =
        parse_scheduler_config(json_["scheduler_config"].dump(), json_["scheduler"].get<std::string>());
    if (!config) throw std::runtime_error(config.error().message);
    PlanRequest request;
    request.steps = call_["num_inference_steps"].get<int>();
    if (call_.contains("strength")) request.strength = call_["strength"].get<double>();
    auto plan = pipeline::make_plan(*config, request);
    if (!plan) throw std::runtime_error(plan.error().message);
    return *plan;
  }

  Prompts prompts(std::size_t image) const {
    Prompts p;
    p.positive = text_of(call_["prompt"], image);
    if (!call_["negative_prompt"].is_null()) p.negative = text_of(call_["negative_prompt"], image);
    if (call_.contains("prompt_2")) p.positive_2 = text_of(call_["prompt_2"], image);
    if (call_.contains("negative_prompt_2")) p.negative_2 = text_of(call_["negative_prompt_2"], image);
    p.clip_skip = call_.value("clip_skip", 0);
    const at::Tensor latents = set_.tensor(name_ + ".step_latents");
    const auto factor = model_.vae_config().factor();
    const std::array<int, 2> size{static_cast<int>(latents.size(3) * factor),
                                  static_cast<int>(latents.size(4) * factor)};
    p.sizes = {call_.value("original_size", size),
               call_.value("crops_coords_top_left", std::array<int, 2>{0, 0}),
               call_.value("target_size", size)};
    return p;
  }

  SourcePictures make_source() const {
    const auto pipeline = json_["pipeline"].get<std::string>();
    const bool inpaints = pipeline.find("Inpaint") != std::string::npos;
    if (!inpaints && pipeline.find("Img2Img") == std::string::npos) return {};
    const at::Tensor picture =
        set_.tensor("input_image").permute({2, 0, 1}).unsqueeze(0) * 2 - 1;  // [1, 3, H, W]
    const double strength = call_["strength"].get<double>();
    if (!inpaints) return image_to_image_source(model_, picture, strength);
    return inpaint_source(model_, picture, set_.tensor("input_mask").unsqueeze(0).unsqueeze(0), strength);
  }

  std::vector<Control> make_controls() const {
    if (!controlnet_) return {};
    const at::Tensor picture = set_.tensor("control_image").permute({2, 0, 1}).unsqueeze(0);  // [1, 3, H, W]
    return {{controlnet_, controlnet_->embed(picture), call_["controlnet_conditioning_scale"].get<double>(),
             call_.value("control_guidance_start", 0.0), call_.value("control_guidance_end", 1.0),
             call_.value("guess_mode", false)}};
  }

  std::deque<at::Tensor> draws(std::int64_t image) const {
    std::deque<at::Tensor> all;
    if (set_.has(name_ + ".init_latents"))
      all.push_back(set_.tensor(name_ + ".init_latents").narrow(0, image, 1));
    for (int i = 0; set_.has(name_ + ".noise." + std::to_string(i)); ++i) {
      // A generator of the whole batch draws all rows at once.
      const at::Tensor draw = set_.tensor(name_ + ".noise." + std::to_string(i));
      all.push_back(draw.size(0) > image ? draw.narrow(0, image, 1) : draw);
    }
    return all;
  }

  void loop(const std::vector<std::unique_ptr<ImageRun>>& runs) {
    std::vector<ImageRun*> together;
    for (const auto& run : runs) together.push_back(run.get());
    ContextCache cache;
    bool first = true;
    for (;;) {
      std::size_t waiting = 0;
      for (ImageRun* run : together) waiting += run->advance() ? 1 : 0;
      if (waiting == 0) break;
      if (waiting != together.size()) throw std::runtime_error("the images of a case did not end together");
      if (first) compare_first_input(together);
      first = false;
      answer_together(model_.unet(), together, cache);
    }
  }

  void compare_first_input(const std::vector<ImageRun*>& runs) {
    if (!set_.has(name_ + ".first_unet_input")) return;
    std::vector<at::Tensor> rows;
    for (int half = 0; half < (runs.front()->guided() ? 2 : 1); ++half)
      for (ImageRun* run : runs) rows.push_back(run->unet_input());
    check("first_unet_input", at::cat(rows), 1e-3);
  }

  void compare(const std::vector<std::unique_ptr<ImageRun>>& runs,
               const std::vector<std::vector<at::Tensor>>& steps, const at::Tensor& expected) {
    const auto n = static_cast<std::size_t>(expected.size(0));
    if (steps.front().size() != n)
      return report_.fail(full_ + ".step_latents", "made " + std::to_string(steps.front().size()) +
                                                       " evaluations instead of " + std::to_string(n));
    std::vector<at::Tensor> by_step;
    for (std::size_t step = 0; step < n; ++step) {
      std::vector<at::Tensor> row;
      for (const auto& image : steps) row.push_back(image[step]);
      by_step.push_back(at::cat(row));
    }
    check("step_latents", at::stack(by_step), 5e-3);
    check_times();
    if (!set_.has(name_ + ".image")) return;
    at::Tensor image = model_.decode(runs.front()->latents())[0].permute({1, 2, 0});  // [H, W, 3]
    check("image", image, 5e-4);
  }

  void check_times() {
    if (!set_.has(name_ + ".callback_timesteps")) return;
    std::vector<float> times(plan_->timesteps().begin(), plan_->timesteps().end());
    check("callback_timesteps", at::tensor(times), 1e-3);
  }

  void check(const std::string& leaf, const at::Tensor& actual, double otherwise) {
    const std::string key = name_ + "." + leaf;
    // Where a trajectory is sensitive the recorded growth of the rounding error is the better measure.
    double bound = set_.bound(key, otherwise);
    if (leaf == "step_latents" && json_.contains("fp32_vs_fp64_max_abs_per_step"))
      for (const auto& step : json_["fp32_vs_fp64_max_abs_per_step"])
        bound = std::max(bound, 30 * step.get<double>());
    report_.compare(full_ + "." + leaf, actual, set_.tensor(key), bound);
  }

  const StableDiffusion& model_;
  const GoldenSet& set_;
  std::string name_, full_;
  Report& report_;
  std::shared_ptr<const ControlNet> controlnet_;
  const json& json_;
  const json& call_;
  std::shared_ptr<const Plan> plan_;
};

}  // namespace

void run_pipeline_cases(const StableDiffusion& model, const GoldenSet& set, const std::string& name,
                        Report& report, const std::shared_ptr<const ControlNet>& controlnet) {
  for (const auto& [key, json] : set.json()["cases"].items())
    run_pipeline_case(model, set, key, name + "/" + key, report, controlnet);
}

void run_pipeline_case(const StableDiffusion& model, const GoldenSet& set, const std::string& key,
                       const std::string& full_name, Report& report,
                       const std::shared_ptr<const ControlNet>& controlnet) {
  bool asked = report.wants(full_name);
  for (const char* leaf : {"first_unet_input", "step_latents", "callback_timesteps", "image"})
    asked = asked || report.wants(full_name + "." + leaf);
  if (!asked) return;
  try {
    Case(model, set, key, full_name, report, controlnet).run();
  } catch (const std::exception& error) {
    report.fail(full_name + ".step_latents", std::string("threw: ") + error.what());
  }
}

}  // namespace waggle::golden

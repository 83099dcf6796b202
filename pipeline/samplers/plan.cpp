// make_plan: makes the levels, lays the walk out, cuts it by strength, and wraps it as a Plan.
#include "pipeline/samplers/plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/choice.h"
#include "pipeline/samplers/layout.h"

namespace waggle::pipeline {
namespace {

/// Levels and timesteps reach the network and the samplers in fp32, as in training.
double as_float(double value) { return static_cast<double>(static_cast<float>(value)); }

at::Tensor noised(const Level& level, const at::Tensor& image, const at::Tensor& noise) {
  return level.alpha * image + level.sigma * noise;
}

class WalkPlan final : public Plan {
 public:
  WalkPlan(const Choice& choice, Walk walk, double initial_scale)
      : choice_(choice), walk_(std::move(walk)), initial_scale_(initial_scale) {
    const std::size_t end =
        static_cast<std::size_t>(walk_.end_evaluation.value_or(static_cast<int>(walk_.evaluations.size())));
    for (std::size_t e = begin(); e < end; ++e) timesteps_.push_back(walk_.evaluations[e].t);
    const auto sigma = [](const Level& level) {
      return level.alpha > 0.0 ? level.sigma / level.alpha : std::numeric_limits<double>::infinity();
    };
    for (const Step& step : walk_.steps) sigmas_.push_back(sigma(step.from));
    sigmas_.push_back(sigma(walk_.steps.back().to));
  }

  std::string_view sampler() const override { return choice_.sampler->name; }
  std::string_view schedule() const override { return choice_.schedule->name; }
  int evaluations() const override { return static_cast<int>(timesteps_.size()); }
  bool hands_over() const override { return walk_.end_evaluation.has_value(); }
  const std::vector<double>& timesteps() const override { return timesteps_; }
  const std::vector<double>& sigmas() const override { return sigmas_; }

  at::Tensor scale_initial_noise(const at::Tensor& noise) const override {
    return initial_scale_ == 1.0 ? noise : noise * initial_scale_;
  }
  at::Tensor add_noise(const at::Tensor& image, const at::Tensor& noise) const override {
    return noised(walk_.evaluations[begin()].at, image, noise);
  }
  at::Tensor add_noise_after(const at::Tensor& image, const at::Tensor& noise,
                             int evaluation) const override {
    if (evaluation + 1 >= evaluations() && !hands_over()) return image;
    return noised(after(evaluation), image, noise);
  }
  at::Tensor preview_latents(const at::Tensor& latents, int evaluation) const override {
    return latents / after(evaluation).norm();
  }
  SamplerCoroutine start(at::Tensor x, NoiseSource& noise) const override {
    return choice_.sampler->run(SamplerContext(walk_, noise), std::move(x));
  }

 private:
  std::size_t begin() const { return static_cast<std::size_t>(walk_.first_evaluation); }
  const Level& after(int evaluation) const {
    return walk_.evaluations[begin() + static_cast<std::size_t>(evaluation)].after;
  }

  Choice choice_;
  Walk walk_;
  double initial_scale_;
  std::vector<double> timesteps_;
  std::vector<double> sigmas_;
};

std::vector<double> own_timesteps(const SchedulerConfig& model, const Choice& choice,
                                  const PlanRequest& request) {
  if (choice.sampler->family == Family::distilled) {
    return distilled_timesteps(request.steps, model.num_train_timesteps, model.original_inference_steps,
                               request.strength.value_or(1.0));
  }
  const Grid grid = choice.sampler->family == Family::sigma       ? Grid::fractional
                    : choice.sampler->family == Family::multistep ? Grid::multistep
                                                                  : Grid::whole;
  return spaced_timesteps(spacing_of(model, choice), grid, request.steps, model.num_train_timesteps,
                          model.steps_offset);
}

Levels make_levels(const SchedulerConfig& model, const Choice& choice, const PlanRequest& request,
                   const std::vector<double>& own, const TrainingNoise& noise) {
  Levels levels;
  const SamplerRow& sampler = *choice.sampler;
  if (choice.schedule->levels == nullptr) {
    for (const double t : own) levels.sigmas.push_back(noise.sigma_at(as_float(t)));
    levels.timesteps = own;
  } else {
    ScheduleInput input{.noise = noise, .steps = request.steps, .sdxl = request.sdxl};
    const bool whole_table = sampler.family == Family::multistep;
    input.sigma_min = whole_table ? noise.sigma_min() : noise.sigma_at(as_float(own.back()));
    input.sigma_max = whole_table ? noise.sigma_max() : noise.sigma_at(as_float(own.front()));
    levels.sigmas = choice.schedule->levels(input);
    for (const double sigma : levels.sigmas) {
      const double t = noise.timestep_of(sigma);
      levels.timesteps.push_back(sampler.whole_timesteps ? std::nearbyint(t) : t);
    }
  }
  levels.sigmas.push_back(ends_at_zero(model, choice) ? 0.0
                                                      : std::min(noise.sigma_min(), levels.sigmas.back()));
  for (double& sigma : levels.sigmas) sigma = as_float(sigma);
  for (double& t : levels.timesteps) t = as_float(t);
  return levels;
}

/// Steps that strength leaves out: computed in double and truncated, so that 100 steps at 0.29 run 28.
int skipped_steps(const PlanRequest& request) {
  const int run = std::min(static_cast<int>(request.steps * request.strength.value_or(1.0)), request.steps);
  return request.steps - run;
}

std::optional<Error> check(const SchedulerConfig& model, const PlanRequest& request) {
  if (request.steps < 1 || request.steps > model.num_train_timesteps) {
    return refusal("/steps", "must be between 1 and " + std::to_string(model.num_train_timesteps) + ", is " +
                                 std::to_string(request.steps));
  }
  if (request.strength && !(*request.strength >= 0.0 && *request.strength <= 1.0)) {
    return refusal("/strength", "must be between 0 and 1");
  }
  if (request.eta && !(*request.eta >= 0.0 && *request.eta <= 1.0))
    return refusal("/eta", "must be between 0 and 1");
  for (const auto& share : {request.from, request.until})
    if (share && !(*share > 0.0 && *share < 1.0))
      return refusal("/refiner/start", "must be greater than 0 and below 1");
  return std::nullopt;
}

}  // namespace

Result<std::shared_ptr<const Plan>> make_plan(const SchedulerConfig& model, const PlanRequest& request) {
  if (std::optional<Error> error = check(model, request)) return *error;
  const Result<Choice> chosen = choose(model, request);
  if (!chosen) return chosen.error();
  const Choice& choice = *chosen;
  const SamplerRow& sampler = *choice.sampler;

  Walk walk(model);
  walk.solver = solver_options(model, choice, request);
  walk.eta = request.eta.value_or(model.eta.value_or(0.0));
  walk.stride = model.num_train_timesteps / request.steps;
  if (sampler.clips && model.clip_sample) walk.clip = model.clip_sample_range;
  walk.final_alpha_bar = sampler.final_alpha_is_one || model.set_alpha_to_one ? 1.0 : walk.noise.alpha_bar(0);
  // Three Runge-Kutta steps need four points, and they only make sense from the start of the schedule.
  const int skipped = sampler.family == Family::distilled ? 0 : skipped_steps(request);
  if (skipped == request.steps) {
    return refusal("/strength", "leaves none of the " + std::to_string(request.steps) + " steps to run");
  }
  if (request.steps < 4 || skipped > 0 || request.from) walk.solver.runge_kutta_start = false;

  const std::vector<double> own = own_timesteps(model, choice, request);
  if (own.empty()) {
    return refusal("/steps", std::string(sampler.name) + " has fewer than " + std::to_string(request.steps) +
                                 " timesteps to choose from");
  }
  const bool on_table = sampler.family == Family::table || sampler.family == Family::distilled;
  if (on_table && choice.schedule->levels == nullptr) {
    if (walk.noise.alpha_bar(static_cast<int>(own.front())) == 0.0 &&
        model.prediction == Prediction::epsilon) {
      return refusal("/sampler", "a model that predicts noise cannot start at zero signal with " +
                                     std::string(sampler.name));
    }
    lay_out_table(own, sampler, walk);
  } else {
    lay_out_levels(make_levels(model, choice, request, own, walk.noise), sampler, walk);
  }
  const auto within = [&](double share) {
    return steps_within(share, model.num_train_timesteps, sampler, walk);
  };
  skip_steps(std::max(skipped, request.from ? within(*request.from) : 0), sampler, walk);
  if (request.until) stop_after(within(*request.until), sampler, walk);

  double initial_scale = 1.0;
  if (sampler.family == Family::sigma) {
    const double sigma = walk.steps.front().from.sigma;
    initial_scale = spacing_of(model, choice) == Spacing::leading ? std::sqrt(sigma * sigma + 1.0) : sigma;
  }
  return std::shared_ptr<const Plan>(std::make_shared<WalkPlan>(choice, std::move(walk), initial_scale));
}

}  // namespace waggle::pipeline

// The level after an evaluation is what inpainting noises the kept picture to. Within a step of two
// evaluations that is the step's end already after the first of them, as in diffusers.
#include "pipeline/samplers/layout.h"

#include <algorithm>
#include <cmath>

#include "pipeline/samplers/ancestral.h"

namespace waggle::pipeline {
namespace {

/// The second question of step `from` -> `to`, for samplers that ask two.
Evaluation second_evaluation(Layout layout, const Level& from, const Level& to, double next_t,
                             const TrainingNoise& noise) {
  if (layout == Layout::endpoint) return {next_t, to, to};
  const double target = layout == Layout::midpoint ? to.sigma : ancestral_step(from.sigma, to.sigma).down;
  const double middle = std::sqrt(from.sigma * target);
  return {noise.timestep_of(middle), exploding_level(middle), to};
}

/// PNDM counts as one, as in diffusers: it is entered and left between any two of its questions.
int evaluations_a_step(const SamplerRow& sampler) {
  return sampler.layout != Layout::single && sampler.layout != Layout::pndm ? 2 : 1;
}

/// One evaluation per timestep, each arriving where the next begins.
void evaluate_each(const std::vector<double>& timesteps, Walk& walk) {
  for (const double t : timesteps) {
    const Level at = level_of_alpha_bar(walk.noise.alpha_bar(static_cast<int>(t)));
    if (!walk.evaluations.empty()) walk.evaluations.back().after = at;
    walk.evaluations.push_back({t, at, Level{}});
  }
}

/// PNDM's questions: the second timestep twice, or twelve questions for three Runge-Kutta steps.
std::vector<double> pndm_timesteps(const std::vector<double>& timesteps, const Walk& walk) {
  std::vector<double> out;
  if (walk.solver.runge_kutta_start) {
    const double half = static_cast<double>(walk.stride / 2);
    for (std::size_t i = 0; i < 3; ++i) {
      const double next = timesteps[i + 1];
      out.insert(out.end(), {timesteps[i], next + half, next + half, next});
    }
    out.insert(out.end(), timesteps.begin() + 3, timesteps.end());
    return out;
  }
  out = timesteps;
  if (out.size() > 1) out.insert(out.begin() + 1, out[1]);
  return out;
}

}  // namespace

void lay_out_levels(const Levels& levels, const SamplerRow& sampler, Walk& walk) {
  const auto level = [&](double sigma) {
    return sampler.family == Family::sigma ? exploding_level(sigma) : preserving_level(sigma);
  };
  const std::size_t n = levels.timesteps.size();
  for (std::size_t i = 0; i < n; ++i) {
    const Step step{level(levels.sigmas[i]), level(levels.sigmas[i + 1])};
    walk.steps.push_back(step);
    walk.evaluations.push_back({levels.timesteps[i], step.from, step.to});
    if (sampler.layout != Layout::single && i + 1 < n) {
      walk.evaluations.push_back(
          second_evaluation(sampler.layout, step.from, step.to, levels.timesteps[i + 1], walk.noise));
    }
  }
}

void lay_out_table(const std::vector<double>& timesteps, const SamplerRow& sampler, Walk& walk) {
  for (std::size_t i = 0; i < timesteps.size(); ++i) {
    const int t = static_cast<int>(timesteps[i]);
    double arrives_at = walk.final_alpha_bar;
    if (sampler.family == Family::table) {
      if (t >= walk.stride) arrives_at = walk.noise.alpha_bar(t - walk.stride);
    } else if (i + 1 < timesteps.size()) {
      arrives_at = walk.noise.alpha_bar(static_cast<int>(timesteps[i + 1]));
    }
    walk.steps.push_back({level_of_alpha_bar(walk.noise.alpha_bar(t)), level_of_alpha_bar(arrives_at)});
  }
  evaluate_each(sampler.layout == Layout::pndm ? pndm_timesteps(timesteps, walk) : timesteps, walk);
}

int steps_within(double share, int training_timesteps, const SamplerRow& sampler, const Walk& walk) {
  // As diffusers rounds: the first timestep that belongs to the other model lies below it.
  const double cutoff = std::nearbyint(training_timesteps - share * training_timesteps);
  const std::size_t stride = static_cast<std::size_t>(evaluations_a_step(sampler));
  int steps = 0;
  for (std::size_t e = 0; e < walk.evaluations.size() && walk.evaluations[e].t >= cutoff; e += stride)
    ++steps;
  return steps;
}

void skip_steps(int skipped, const SamplerRow& sampler, Walk& walk) {
  walk.first_step = skipped;
  walk.first_evaluation = evaluations_a_step(sampler) * skipped;
}

void stop_after(int steps, const SamplerRow& sampler, Walk& walk) {
  const int end = evaluations_a_step(sampler) * steps;
  if (end < static_cast<int>(walk.evaluations.size())) walk.end_evaluation = end;
}

}  // namespace waggle::pipeline

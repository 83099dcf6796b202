// See closed_form.h. The network computes sigma from the timestep alone, as a real one does.
#include "tests/pipeline/samplers/closed_form.h"

#include <cmath>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>

namespace waggle::pipeline::closed_form {

namespace {

at::Tensor answer(const at::Tensor& x, const std::vector<double>& sigmas, Prediction prediction) {
  const at::Tensor sigma = at::tensor(sigmas, at::kDouble).reshape({-1, 1, 1, 1}).to(x.dtype());
  const at::Tensor norm = at::sqrt(sigma * sigma + 1.0);
  const at::Tensor noisy = x * norm;  // x0 + sigma eps
  const double c2 = kSpread * kSpread;
  const at::Tensor x0 = (c2 * noisy + sigma * sigma * kMean) / (c2 + sigma * sigma);
  const at::Tensor eps = (noisy - x0) / sigma;
  switch (prediction) {
    case Prediction::sample:
      return x0;
    case Prediction::v_prediction:
      return (eps - sigma * x0) / norm;
    case Prediction::epsilon:
      break;
  }
  return eps;
}

}  // namespace

at::Tensor GaussianNetwork::operator()(const at::Tensor& x, const std::vector<double>& t) const {
  std::vector<double> sigmas;
  for (const double timestep : t) sigmas.push_back(noise_.sigma_at_log(timestep));
  return answer(x, sigmas, prediction_);
}

at::Tensor GaussianNetwork::at_level(const at::Tensor& x, double sigma) const {
  return answer(x, {sigma}, prediction_);
}

at::Tensor exact(const at::Tensor& z, double sigma) { return kMean + z * std::hypot(kSpread, sigma); }

Trace run(const Plan& plan, at::Tensor start, NoiseSource& noise, const GaussianNetwork& network,
          const Replace& replace, const EvaluationLevels& levels) {
  Trace trace;
  SamplerCoroutine sampler = plan.start(std::move(start), noise);
  for (auto stop = sampler.advance(); stop != SamplerCoroutine::Stop::end; stop = sampler.advance()) {
    if (stop == SamplerCoroutine::Stop::question) {
      const Question& question = sampler.question();
      const std::size_t e = trace.asked.size();
      trace.asked.push_back(question.t);
      sampler.answer(levels.empty() ? network(question.x, {question.t})
                                    : network.at_level(question.x, levels[e]));
    } else {
      trace.latents.push_back(sampler.latents());
      const int done = static_cast<int>(trace.latents.size()) - 1;
      if (replace) sampler.replace_latents(replace(sampler.latents(), done));
    }
  }
  trace.end = sampler.latents();
  return trace;
}

std::vector<at::Tensor> run_together(const Plan& plan, const std::vector<at::Tensor>& starts,
                                     const std::vector<std::int64_t>& seeds, const GaussianNetwork& network) {
  std::vector<std::unique_ptr<SeededNoise>> noises;
  std::vector<SamplerCoroutine> samplers;
  for (std::size_t k = 0; k < starts.size(); ++k) {
    noises.push_back(std::make_unique<SeededNoise>(seeds[k]));
    samplers.push_back(plan.start(starts[k], *noises.back()));
  }
  for (;;) {
    std::vector<at::Tensor> questions;
    std::vector<double> timesteps;
    for (SamplerCoroutine& sampler : samplers) {
      auto stop = sampler.advance();
      while (stop == SamplerCoroutine::Stop::step) stop = sampler.advance();
      if (stop == SamplerCoroutine::Stop::end) continue;
      questions.push_back(sampler.question().x);
      timesteps.push_back(sampler.question().t);
    }
    if (questions.empty()) break;
    const at::Tensor answers = network(at::cat(questions), timesteps);
    for (std::size_t k = 0; k < samplers.size(); ++k) {
      samplers[k].answer(answers.slice(0, static_cast<std::int64_t>(k), static_cast<std::int64_t>(k) + 1));
    }
  }
  std::vector<at::Tensor> ends;
  for (const SamplerCoroutine& sampler : samplers) ends.push_back(sampler.latents());
  return ends;
}

std::shared_ptr<const Plan> plan_for(const SchedulerConfig& model, const PlanRequest& request) {
  auto plan = make_plan(model, request);
  if (!plan) throw std::runtime_error(request.sampler + ": " + to_string(plan.error()));
  return *plan;
}

SchedulerConfig stable_diffusion() {
  SchedulerConfig config;
  config.skip_prk_steps = true;
  config.steps_offset = 1;
  config.set_alpha_to_one = false;
  return config;
}

}  // namespace waggle::pipeline::closed_form

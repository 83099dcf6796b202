// Order of convergence on the Gaussian target, in fp64, and the law of what the stochastic samplers end at.
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <catch2/catch.hpp>

#include "pipeline/samplers/registry.h"
#include "tests/pipeline/samplers/closed_form.h"

namespace waggle::pipeline {
namespace {

using closed_form::exact;
using closed_form::GaussianNetwork;
using closed_form::kMean;
using closed_form::kSpread;
using closed_form::plan_for;
using closed_form::run;
using closed_form::stable_diffusion;
using closed_form::Trace;

std::pair<int, int> coarse_and_fine(const SamplerRow& row) {
  return row.family == Family::distilled ? std::pair{10, 50} : std::pair{25, 100};
}

/// The levels that a run on `sigmas` asks at.
std::vector<double> asked_levels(const SamplerRow& row, const std::vector<double>& sigmas) {
  std::vector<double> out;
  for (std::size_t i = 0; i + 1 < sigmas.size(); ++i) {
    out.push_back(sigmas[i]);
    if (i + 2 == sigmas.size() || row.layout == Layout::single) continue;
    out.push_back(row.layout == Layout::endpoint ? sigmas[i + 1] : std::sqrt(sigmas[i] * sigmas[i + 1]));
  }
  return out;
}

/// The error at a level that runs of all step counts pass: timestep 401 for samplers on the training table,
/// else the lowest level of a schedule that is even in log sigma. (The step to the clean picture is of first
/// order everywhere.)
double error(const SamplerRow& row, const SchedulerConfig& model, int steps) {
  const bool on_table = row.family == Family::table || row.family == Family::distilled;
  const auto plan = plan_for(
      model,
      {.sampler = std::string(row.name), .schedule = on_table ? "model" : "exponential", .steps = steps});
  const at::Tensor z = SeededNoise(3).draw({1, 1, 4, 4}).to(at::kDouble);
  const auto scaled = [&](const at::Tensor& x, double sigma) {
    return row.family == Family::sigma ? x : x / std::hypot(1.0, sigma);
  };
  SeededNoise noise(1);
  const std::vector<double>& sigmas = plan->sigmas();
  const Trace trace =
      run(*plan, scaled(exact(z, sigmas.front()), sigmas.front()), noise, GaussianNetwork(model), {},
          on_table ? std::vector<double>{} : asked_levels(row, sigmas));
  const auto n = static_cast<std::size_t>(steps);
  const std::size_t level = row.family == Family::table ? n - 1 - 400 * n / 1000 : n - 1;
  // PNDM spends two evaluations on its first step.
  const std::size_t latents = row.family != Family::table  ? trace.latents.size() - 2
                              : row.layout == Layout::pndm ? level
                                                           : level - 1;
  return (trace.latents[latents] - scaled(exact(z, sigmas[level]), sigmas[level])).abs().max().item<double>();
}

}  // namespace

TEST_CASE("samplers: deterministic samplers converge to the ODE's solution in their order", "[conformance]") {
  for (const Prediction prediction : {Prediction::epsilon, Prediction::v_prediction}) {
    SchedulerConfig model = stable_diffusion();
    model.prediction = prediction;
    for (const SamplerRow& row : sampler_table()) {
      if (row.draws || row.order == 0) continue;
      const auto [coarse, fine] = coarse_and_fine(row);
      const double coarse_error = error(row, model, coarse);
      const double fine_error = error(row, model, fine);
      const double slope = std::log(coarse_error / fine_error) / std::log(static_cast<double>(fine) / coarse);
      INFO(row.name << ": " << coarse_error << " at " << coarse << " steps, " << fine_error << " at " << fine
                    << ", slope " << slope);
      // PNDM extrapolates v itself, which also turns with the level: that costs it an order.
      const int order = row.layout == Layout::pndm && prediction == Prediction::v_prediction ? 1 : row.order;
      CHECK(slope > order - 0.35);
      CHECK(fine_error < 0.05);
    }
  }
}

TEST_CASE("samplers: stochastic samplers end at the target's mean and spread", "[conformance]") {
  const SchedulerConfig model = stable_diffusion();
  for (const SamplerRow& row : sampler_table()) {
    const bool may_draw = row.draws || row.name == "ddim";
    if (!may_draw || row.family == Family::distilled) continue;
    INFO(row.name);
    const auto plan =
        plan_for(model, {.sampler = std::string(row.name), .schedule = "linspace", .steps = 200, .eta = 1.0});
    SeededNoise noise(1);
    const at::Tensor start = plan->scale_initial_noise(SeededNoise(2).draw({1, 4, 64, 64}));
    const at::Tensor end = run(*plan, start, noise, GaussianNetwork(model)).end;
    CHECK(end.mean().item<double>() == Approx(kMean).margin(0.03));
    CHECK(end.std().item<double>() == Approx(kSpread).epsilon(0.03));
  }
}

TEST_CASE("samplers: one exact step of a consistency model is the denoised picture", "[conformance]") {
  SchedulerConfig model = stable_diffusion();
  const GaussianNetwork network(model);
  const auto plan = plan_for(model, {.sampler = "lcm", .steps = 1});
  SeededNoise noise(1);
  const at::Tensor z = SeededNoise(3).draw({1, 4, 4, 4});
  // At t = 999 hardly any signal is left, so the ideal denoiser answers with the mean.
  const Trace trace = run(*plan, plan->scale_initial_noise(z), noise, network);
  CHECK((trace.end - kMean).abs().max().item<double>() < 0.2);
}

}  // namespace waggle::pipeline

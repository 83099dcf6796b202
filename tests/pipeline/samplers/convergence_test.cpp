// Order of convergence on the Gaussian target, in fp64, and the law of what the stochastic samplers end at.
#include <cmath>

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

/// Step counts whose points fall on whole timesteps, where the network's sigma is exactly the schedule's.
std::pair<int, int> coarse_and_fine(const SamplerRow& row) {
  switch (row.family) {
    case Family::table:
      return {25, 100};
    case Family::distilled:
      return {10, 50};
    case Family::sigma:
      return {28, 112};
    case Family::multistep:
      return {27, 111};
  }
  return {};
}

/// The error just before the last step. That step, to the clean picture, is of first order in all samplers.
double error(const SamplerRow& row, const SchedulerConfig& model, int steps) {
  const auto plan = plan_for(model, {.sampler = std::string(row.name), .steps = steps});
  const at::Tensor z = SeededNoise(3).draw({1, 1, 4, 4}).to(at::kDouble);
  const auto scaled = [&](const at::Tensor& x, double sigma) {
    return row.family == Family::sigma ? x : x / std::hypot(1.0, sigma);
  };
  SeededNoise noise(1);
  const double first = plan->sigmas().front();
  const Trace trace = run(*plan, scaled(exact(z, first), first), noise, GaussianNetwork(model));
  const double last = plan->sigmas()[static_cast<std::size_t>(steps) - 1];
  const at::Tensor& arrived = trace.latents[trace.latents.size() - 2];
  return (arrived - scaled(exact(z, last), last)).abs().max().item<double>();
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
      CHECK(slope > row.order - 0.35);
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

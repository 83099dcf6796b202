// What make_plan refuses, and the places where schedules are easy to get wrong.
#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <catch2/catch.hpp>

#include "tests/pipeline/samplers/closed_form.h"

namespace waggle::pipeline {
namespace {

using closed_form::plan_for;
using closed_form::stable_diffusion;

std::string refused_field(const SchedulerConfig& model, const PlanRequest& request) {
  const auto plan = make_plan(model, request);
  if (plan) return "accepted";
  REQUIRE(plan.error().code == ErrorCode::invalid_request);
  return plan.error().fields.empty() ? "no field" : plan.error().fields.front().path;
}

}  // namespace

TEST_CASE("plan: steps, strength and eta out of range are refused by field") {
  const SchedulerConfig model = stable_diffusion();
  CHECK(refused_field(model, {.sampler = "euler", .steps = 0}) == "/steps");
  CHECK(refused_field(model, {.sampler = "euler", .steps = 1001}) == "/steps");
  CHECK(refused_field(model, {.sampler = "euler", .strength = -0.1}) == "/strength");
  CHECK(refused_field(model, {.sampler = "euler", .strength = 1.1}) == "/strength");
  CHECK(refused_field(model, {.sampler = "euler", .strength = std::numeric_limits<double>::quiet_NaN()}) ==
        "/strength");
  CHECK(refused_field(model, {.sampler = "euler", .steps = 10, .strength = 0.05}) == "/strength");
  CHECK(refused_field(model, {.sampler = "ddim", .eta = 1.5}) == "/eta");
  CHECK(refused_field(model, {.sampler = "lcm", .steps = 51}) == "/steps");
  CHECK(refused_field(model, {.sampler = "lcm", .steps = 8, .strength = 0.1}) == "/steps");
  CHECK(refused_field(model, {.sampler = "pndm", .schedule = "karras"}) == "/schedule");
  CHECK(refused_field(model, {.sampler = "pndm", .schedule = "trailing"}) == "accepted");
}

TEST_CASE("plan: strength is computed in binary and truncated") {
  const SchedulerConfig model = stable_diffusion();
  const auto evaluations = [&](int steps, double strength) {
    return plan_for(model, {.sampler = "euler", .steps = steps, .strength = strength})->evaluations();
  };
  CHECK(evaluations(100, 0.29) == 28);
  CHECK(evaluations(8, 0.9999) == 7);
  CHECK(evaluations(8, 1.0) == 8);
}

TEST_CASE("plan: spacings visit the published timesteps") {
  SchedulerConfig model = stable_diffusion();
  const auto timesteps = [&](const char* sampler, const char* spacing, int steps) {
    return plan_for(model, {.sampler = sampler, .schedule = spacing, .steps = steps})->timesteps();
  };
  using Timesteps = std::vector<double>;
  CHECK(timesteps("ddim", "leading", 4) == Timesteps{751, 501, 251, 1});
  CHECK(timesteps("ddim", "trailing", 4) == Timesteps{999, 749, 499, 249});
  CHECK(timesteps("ddim", "linspace", 4) == Timesteps{999, 666, 333, 0});
  CHECK(timesteps("euler", "linspace", 3) == Timesteps{999, 499.5, 0});
  CHECK(timesteps("dpmpp_2m", "linspace", 4) == Timesteps{999, 749, 500, 250});
  CHECK(timesteps("dpmpp_2m", "leading", 4) == Timesteps{801, 601, 401, 201});
  CHECK(timesteps("pndm", "leading", 4) == Timesteps{751, 501, 501, 251, 1});
  CHECK(timesteps("lcm", "model", 4) == Timesteps{999, 759, 499, 259});
  CHECK(timesteps("euler", "trailing", 1) == Timesteps{999});  // Turbo
  // Counting down "while above 0" in floating point would visit 62 and 104 points.
  CHECK(timesteps("euler", "trailing", 61).size() == 61);
  CHECK(timesteps("ddim", "trailing", 103).back() >= 0.0);
}

TEST_CASE("plan: the Runge-Kutta start asks twelve times for three steps, and needs four") {
  SchedulerConfig model = stable_diffusion();
  model.class_name = "PNDMScheduler";
  model.skip_prk_steps = false;
  CHECK(plan_for(model, {.steps = 20})->evaluations() == 12 + 17);
  CHECK(plan_for(model, {.steps = 4})->evaluations() == 13);
  CHECK(plan_for(model, {.steps = 3})->evaluations() == 4);
  CHECK(plan_for(model, {.steps = 20, .strength = 0.5})->evaluations() == 11);
}

TEST_CASE("plan: initial noise is scaled to the schedule's own first level") {
  SchedulerConfig model = stable_diffusion();
  const at::Tensor one = at::ones({1, 4, 2, 2});
  const auto scale = [&](const char* sampler, const char* spacing) {
    return plan_for(model, {.sampler = sampler, .schedule = spacing, .steps = 8})
        ->scale_initial_noise(one)
        .mean()
        .item<double>();
  };
  CHECK(scale("euler", "linspace") == Approx(14.6146).epsilon(1e-5));
  CHECK(scale("euler", "leading") == Approx(7.439362).epsilon(1e-6));
  CHECK(scale("dpmpp_2m", "linspace") == 1.0);
  model.rescale_betas_zero_snr = true;
  model.prediction = Prediction::v_prediction;
  CHECK(scale("euler", "trailing") == Approx(4096.0).epsilon(1e-4));
}

TEST_CASE("plan: a run may start at zero signal when the model predicts v, not when it predicts noise") {
  SchedulerConfig model = stable_diffusion();
  model.rescale_betas_zero_snr = true;
  CHECK(refused_field(model, {.sampler = "ddim", .schedule = "trailing", .steps = 5}) == "/sampler");
  model.prediction = Prediction::v_prediction;
  const auto plan = plan_for(model, {.sampler = "ddim", .schedule = "trailing", .steps = 5});
  CHECK(std::isinf(plan->sigmas().front()));
  const at::Tensor noise = at::ones({1, 4, 2, 2});
  CHECK(at::equal(plan->add_noise(noise * 5.0, noise), noise));
}

}  // namespace waggle::pipeline

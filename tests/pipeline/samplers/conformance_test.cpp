// What every sampler in the table must do, whatever its method.
#include <ATen/ATen.h>
#include <catch2/catch.hpp>

#include "pipeline/samplers/registry.h"
#include "tests/pipeline/samplers/closed_form.h"

namespace waggle::pipeline {
namespace {

using closed_form::GaussianNetwork;
using closed_form::plan_for;
using closed_form::run;
using closed_form::stable_diffusion;
using closed_form::Trace;

at::Tensor unit_noise(std::int64_t seed) { return SeededNoise(seed).draw({1, 4, 3, 5}); }

/// Steps that a sampler can run: consistency models have fifty points to choose from.
bool can_run(const SamplerRow& row, int steps) { return row.family != Family::distilled || steps <= 50; }

int expected_evaluations(const SamplerRow& row, int steps) {
  if (row.layout == Layout::single) return steps;
  if (row.layout == Layout::pndm) return steps == 1 ? 1 : steps + 1;
  return 2 * steps - 1;
}

}  // namespace

TEST_CASE("samplers: every sampler asks as often and at the timesteps that its plan says", "[conformance]") {
  const SchedulerConfig model = stable_diffusion();
  const GaussianNetwork network(model);
  for (const SamplerRow& row : sampler_table()) {
    for (const int steps : {1, 2, 3, 7, 50, 1000}) {
      if (!can_run(row, steps)) continue;
      INFO(row.name << ", " << steps << " steps");
      const auto plan = plan_for(model, {.sampler = std::string(row.name), .steps = steps});
      CHECK(plan->sampler() == row.name);
      CHECK(plan->evaluations() == expected_evaluations(row, steps));
      CHECK(plan->sigmas().size() == static_cast<std::size_t>(steps) + 1);
      SeededNoise noise(1);
      const Trace trace = run(*plan, plan->scale_initial_noise(unit_noise(0)), noise, network);
      CHECK(trace.asked == plan->timesteps());
      CHECK(trace.latents.size() == trace.asked.size());
      CHECK(trace.end.sizes() == at::IntArrayRef({1, 4, 3, 5}));
      CHECK(trace.end.dtype() == at::kFloat);
      CHECK(at::isfinite(trace.end).all().item<bool>());
    }
  }
}

TEST_CASE("samplers: every sampler runs on every schedule that it accepts", "[conformance]") {
  for (const Prediction prediction : {Prediction::epsilon, Prediction::v_prediction, Prediction::sample}) {
    SchedulerConfig model = stable_diffusion();
    model.prediction = prediction;
    const GaussianNetwork network(model);
    for (const SamplerRow& row : sampler_table()) {
      // PNDM's transfer is defined on noise alone.
      if (row.layout == Layout::pndm && prediction == Prediction::sample) continue;
      for (const ScheduleRow& schedule : schedule_table()) {
        INFO(row.name << " on " << schedule.name);
        const PlanRequest request{
            .sampler = std::string(row.name), .schedule = std::string(schedule.name), .steps = 9};
        if (schedule.levels != nullptr && !row.any_schedule) {
          CHECK(make_plan(model, request).error().code == ErrorCode::invalid_request);
          continue;
        }
        const auto plan = plan_for(model, request);
        CHECK(plan->schedule() == schedule.name);
        CHECK(plan->evaluations() == expected_evaluations(row, 9));
        SeededNoise noise(1);
        const Trace trace = run(*plan, plan->scale_initial_noise(unit_noise(0)), noise, network);
        CHECK(trace.asked == plan->timesteps());
        CHECK(trace.end.abs().max().item<double>() < 6.0);
      }
    }
  }
}

TEST_CASE("samplers: a seed gives the same picture twice, another seed another one", "[conformance]") {
  const SchedulerConfig model = stable_diffusion();
  const GaussianNetwork network(model);
  for (const SamplerRow& row : sampler_table()) {
    INFO(row.name);
    const auto plan = plan_for(model, {.sampler = std::string(row.name), .steps = 6, .eta = 0.5});
    const auto with_seed = [&](std::int64_t seed) {
      SeededNoise noise(seed);
      return run(*plan, plan->scale_initial_noise(unit_noise(0)), noise, network).end;
    };
    CHECK(at::equal(with_seed(5), with_seed(5)));
    const bool draws = row.draws || row.name == "ddim" || row.name == "tcd";
    CHECK(at::equal(with_seed(5), with_seed(6)) == !draws);
  }
}

TEST_CASE("samplers: a picture does not depend on its batch mates", "[conformance]") {
  const SchedulerConfig model = stable_diffusion();
  const GaussianNetwork network(model);
  for (const SamplerRow& row : sampler_table()) {
    INFO(row.name);
    const auto plan = plan_for(model, {.sampler = std::string(row.name), .steps = 6});
    const auto start = [&](std::int64_t seed) { return plan->scale_initial_noise(unit_noise(seed)); };
    const auto alone = run_together(*plan, {start(1)}, {11}, network);
    const auto with_others = run_together(*plan, {start(2), start(1), start(3)}, {12, 11, 13}, network);
    CHECK(at::equal(alone[0], with_others[1]));
  }
}

TEST_CASE("samplers: latents that the driver hands back are the ones that the run goes on with",
          "[conformance]") {
  const SchedulerConfig model = stable_diffusion();
  const GaussianNetwork network(model);
  const at::Tensor picture = unit_noise(7);
  for (const SamplerRow& row : sampler_table()) {
    INFO(row.name);
    const auto plan = plan_for(model, {.sampler = std::string(row.name), .steps = 5});
    SeededNoise noise(1);
    const at::Tensor mask_noise = unit_noise(8);
    const Trace trace =
        run(*plan, plan->scale_initial_noise(mask_noise), noise, network,
            [&](const at::Tensor&, int i) { return plan->add_noise_after(picture, mask_noise, i); });
    CHECK(at::equal(trace.end, picture));
  }
}

TEST_CASE("samplers: strength enters the schedule late and leaves its rest unchanged", "[conformance]") {
  const SchedulerConfig model = stable_diffusion();
  for (const SamplerRow& row : sampler_table()) {
    if (row.family == Family::distilled) continue;  // they shorten the schedule instead
    INFO(row.name);
    const auto whole = plan_for(model, {.sampler = std::string(row.name), .steps = 10});
    const auto half = plan_for(model, {.sampler = std::string(row.name), .steps = 10, .strength = 0.5});
    const bool pairs = row.layout != Layout::single && row.layout != Layout::pndm;
    const int skipped = pairs ? 10 : 5;
    CHECK(half->evaluations() == whole->evaluations() - skipped);
    CHECK(std::vector<double>(whole->timesteps().begin() + skipped, whole->timesteps().end()) ==
          half->timesteps());
    CHECK(half->sigmas() == whole->sigmas());
    const auto all = plan_for(model, {.sampler = std::string(row.name), .steps = 10, .strength = 1.0});
    CHECK(all->timesteps() == whole->timesteps());
  }
}

TEST_CASE("samplers: a noised picture carries exactly the level of its place in the schedule",
          "[conformance]") {
  const SchedulerConfig model = stable_diffusion();
  const at::Tensor zero = at::zeros({1, 4, 3, 5});
  const at::Tensor one = at::ones({1, 4, 3, 5});
  for (const SamplerRow& row : sampler_table()) {
    INFO(row.name);
    const auto plan = plan_for(model, {.sampler = std::string(row.name), .steps = 8, .strength = 0.75});
    const auto ratio = [&](const auto& add) {  // of noise to picture
      return (add(zero, one) / add(one, zero)).mean().template item<double>();
    };
    const double start =
        ratio([&](const auto& image, const auto& noise) { return plan->add_noise(image, noise); });
    // PNDM's list holds its second timestep twice, so that two steps less lead only one level down.
    const std::size_t first = row.family == Family::distilled ? 0 : row.layout == Layout::pndm ? 1 : 2;
    CHECK(start == Approx(plan->sigmas()[first]).epsilon(1e-5));
    double before = start;
    for (int i = 0; i + 1 < plan->evaluations(); ++i) {
      const double after =
          ratio([&](const auto& image, const auto& noise) { return plan->add_noise_after(image, noise, i); });
      CHECK(after <= before * (1.0 + 1e-6));
      before = after;
    }
    CHECK(at::equal(plan->add_noise_after(one, zero, plan->evaluations() - 1), one));
    // Previews are brought to the picture's scale: unit noise stays unit noise.
    const at::Tensor noisy = plan->add_noise_after(zero, one, 0) + plan->add_noise_after(one, zero, 0) * 0.0;
    CHECK(plan->preview_latents(noisy, 0).max().item<double>() <= 1.0 + 1e-6);
  }
}

}  // namespace waggle::pipeline

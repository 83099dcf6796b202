// Each schedule against its formula or its published numbers.
#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>

#include "pipeline/schedules/beta_distribution.h"
#include "pipeline/schedules/registry.h"
#include "tests/pipeline/samplers/closed_form.h"

namespace waggle::pipeline {
namespace {

std::vector<double> levels(const char* schedule, int steps, bool sdxl = false) {
  const TrainingNoise noise(closed_form::stable_diffusion());
  return find_schedule(schedule)->levels({.noise = noise,
                                          .steps = steps,
                                          .sigma_min = noise.sigma_min(),
                                          .sigma_max = noise.sigma_max(),
                                          .sdxl = sdxl});
}

}  // namespace

TEST_CASE("schedules: Stable Diffusion's training levels") {
  const TrainingNoise noise(closed_form::stable_diffusion());
  CHECK(noise.sigma_min() == Approx(0.0291675).epsilon(1e-5));
  CHECK(noise.sigma_max() == Approx(14.6146).epsilon(1e-5));
  CHECK(noise.alpha_bar(0) == Approx(0.99915).epsilon(1e-6));
  for (const double t : {0.0, 0.4, 17.25, 500.0, 998.9, 999.0}) {
    CHECK(noise.timestep_of(noise.sigma_at_log(t)) == Approx(t).margin(1e-6));
  }
  CHECK(noise.timestep_of(1e-20) == 0.0);
  CHECK(noise.timestep_of(1e9) == 999.0);
  CHECK(noise.sigma_at(0.5) == Approx(0.5 * (noise.sigma(0) + noise.sigma(1))));
}

TEST_CASE("schedules: all fall strictly, and as many levels as steps") {
  for (const ScheduleRow& row : schedule_table()) {
    if (row.levels == nullptr) continue;
    for (const int steps : {1, 2, 5, 10, 37, 1000}) {
      INFO(row.name << ", " << steps << " steps");
      const std::vector<double> sigmas = levels(row.name.data(), steps);
      CHECK(sigmas.size() == static_cast<std::size_t>(steps));
      CHECK(std::adjacent_find(sigmas.begin(), sigmas.end(), std::less_equal<>()) == sigmas.end());
      CHECK(sigmas.front() == Approx(14.6146).epsilon(1e-4));
      CHECK(sigmas.back() > 0.0);
    }
  }
}

TEST_CASE("schedules: Karras and exponential run between the extremes by their formulas") {
  const auto karras = levels("karras", 5);
  CHECK(karras.back() == Approx(0.0291675).epsilon(1e-5));
  const double high = std::pow(14.614645, 1.0 / 7.0), low = std::pow(0.02916753, 1.0 / 7.0);
  CHECK(karras[2] == Approx(std::pow(0.5 * (high + low), 7.0)).epsilon(1e-5));
  const auto exponential = levels("exponential", 5);
  CHECK(exponential[2] == Approx(std::sqrt(14.614645 * 0.02916753)).epsilon(1e-5));
}

TEST_CASE("schedules: SGM uniform and simple walk the training timesteps") {
  const TrainingNoise noise(closed_form::stable_diffusion());
  CHECK(levels("sgm_uniform", 4)[1] == Approx(noise.sigma_at_log(749.25)));
  CHECK(levels("simple", 20)[1] == noise.sigma(949));
  CHECK(levels("simple", 3)[2] == noise.sigma(999 - 666));
}

TEST_CASE("schedules: Align Your Steps gives its ten published levels per family") {
  CHECK(levels("ays", 10)[1] == Approx(6.4745760956));
  CHECK(levels("ays", 10)[9] == Approx(0.1515232662));
  CHECK(levels("ays", 10, true)[1] == Approx(6.3184485287));
  CHECK(levels("ays", 20)[2] == Approx(6.4745760956));
}

TEST_CASE("schedules: beta takes its timesteps from the quantiles of Beta(0.6, 0.6)") {
  const TrainingNoise noise(closed_form::stable_diffusion());
  CHECK(levels("beta", 2)[1] == noise.sigma_at(std::nearbyint(999 * 0.5)));
  // Laws whose quantiles are elementary.
  for (const double p : {0.0, 0.01, 0.3, 0.5, 0.77, 0.999, 1.0}) {
    CHECK(beta_quantile(p, 1.0, 1.0) == Approx(p).margin(1e-12));
    CHECK(beta_quantile(p, 2.0, 1.0) == Approx(std::sqrt(p)).margin(1e-10));
    CHECK(beta_quantile(p, 1.0, 3.0) == Approx(1.0 - std::cbrt(1.0 - p)).margin(1e-10));
    const double arcsine = std::sin(0.5 * std::acos(-1.0) * p);
    CHECK(beta_quantile(p, 0.5, 0.5) == Approx(arcsine * arcsine).margin(1e-10));
    CHECK(beta_quantile(1.0 - p, 0.6, 0.6) == Approx(1.0 - beta_quantile(p, 0.6, 0.6)).margin(1e-10));
  }
}

}  // namespace waggle::pipeline

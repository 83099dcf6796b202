// The coroutine itself: errors, runs that are given up, moves.
#include <stdexcept>

#include <ATen/ATen.h>
#include <catch2/catch.hpp>

#include "pipeline/samplers/registry.h"
#include "tests/pipeline/samplers/closed_form.h"

namespace waggle::pipeline {
namespace {

using closed_form::plan_for;
using closed_form::stable_diffusion;

class FailingNoise final : public NoiseSource {
 public:
  at::Tensor draw(at::IntArrayRef) override { throw std::runtime_error("no entropy today"); }
};

}  // namespace

TEST_CASE("coroutine: what a sampler throws reaches its driver, and no one else") {
  const auto plan = plan_for(stable_diffusion(), {.sampler = "euler_ancestral", .steps = 3});
  FailingNoise failing;
  SeededNoise working(1);
  const at::Tensor x = plan->scale_initial_noise(at::ones({1, 4, 2, 2}));
  SamplerCoroutine broken = plan->start(x, failing);
  SamplerCoroutine whole = plan->start(x, working);
  REQUIRE(broken.advance() == SamplerCoroutine::Stop::question);
  REQUIRE(whole.advance() == SamplerCoroutine::Stop::question);
  broken.answer(at::zeros_like(x));
  whole.answer(at::zeros_like(x));
  CHECK_THROWS_WITH(broken.advance(), "no entropy today");
  CHECK(whole.advance() == SamplerCoroutine::Stop::step);
}

TEST_CASE("coroutine: a run may be given up at any stop") {
  for (const SamplerRow& row : sampler_table()) {
    INFO(row.name);
    const auto plan = plan_for(stable_diffusion(), {.sampler = std::string(row.name), .steps = 4});
    for (int stops = 0; stops < 7; ++stops) {
      SeededNoise noise(1);
      SamplerCoroutine sampler = plan->start(plan->scale_initial_noise(at::ones({1, 4, 2, 2})), noise);
      for (int i = 0; i < stops; ++i) {
        if (sampler.advance() == SamplerCoroutine::Stop::question) sampler.answer(at::zeros({1, 4, 2, 2}));
      }
      SamplerCoroutine moved = std::move(sampler);
      if (stops > 0) CHECK(moved.advance() != SamplerCoroutine::Stop::start);
    }
  }
}

TEST_CASE("coroutine: a question stays valid until it is answered, also after a move") {
  const auto plan = plan_for(stable_diffusion(), {.sampler = "euler", .steps = 2});
  SeededNoise noise(1);
  SamplerCoroutine sampler = plan->start(plan->scale_initial_noise(at::ones({1, 4, 2, 2})), noise);
  REQUIRE(sampler.advance() == SamplerCoroutine::Stop::question);
  const SamplerCoroutine moved = std::move(sampler);
  CHECK(moved.question().t == 999.0);
  CHECK(moved.question().x.mean().item<double>() == Approx(1.0).margin(0.01));
}

}  // namespace waggle::pipeline

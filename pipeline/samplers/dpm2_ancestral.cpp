// DPM2 (dpm2.cpp) down to sigma_down, then noise of sigma_up (ancestral.h).
// Randomness: one draw for every question. The first of a pair is not used; it keeps the stream in step with
// the implementation that seeds were shared from.
#include <ATen/TensorOperators.h>

#include "pipeline/samplers/ancestral.h"
#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {

SamplerCoroutine dpm2_ancestral(SamplerContext s, at::Tensor x) {
  for (int i = s.first(); i < s.steps(); ++i) {
    const double sigma = s.step(i).from.sigma;
    const AncestralStep next = ancestral_step(sigma, s.step(i).to.sigma);
    const bool last = i + 1 == s.steps();
    const double middle = last ? 0.0 : s.evaluation(2 * i + 1).at.sigma;

    const Question at_start = s.ask(2 * i, x);
    const at::Tensor out = co_await at_start;
    const at::Tensor start = x;
    static_cast<void>(s.draw(x));
    x = co_yield start + (middle - sigma) * s.noise_in(2 * i, x, out);
    if (last) break;

    const Question at_middle = s.ask(2 * i + 1, x);
    const at::Tensor out_middle = co_await at_middle;
    const at::Tensor noise = s.draw(x);
    x = co_yield start + (next.down - sigma) * s.noise_in(2 * i + 1, x, out_middle) + next.up * noise;
  }
  co_return x;
}

}  // namespace waggle::pipeline

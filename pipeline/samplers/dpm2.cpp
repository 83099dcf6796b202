// DPM-Solver-2 in k-diffusion's form: the midpoint rule with the middle at the geometric mean of the two
// sigmas. Source: Lu et al., arXiv 2206.00927, algorithm 1 with r_1 = 1/2; Karras et al., arXiv 2206.00364,
// table 1. The last step, down to sigma = 0, is Euler's.
#include <ATen/TensorOperators.h>

#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {

SamplerCoroutine dpm2(SamplerContext s, at::Tensor x) {
  for (int i = s.first(); i < s.steps(); ++i) {
    const double sigma = s.step(i).from.sigma;
    const double next = s.step(i).to.sigma;
    const bool last = i + 1 == s.steps();
    const double middle = last ? next : s.evaluation(2 * i + 1).at.sigma;

    const Question at_start = s.ask(2 * i, x);
    const at::Tensor out = co_await at_start;
    const at::Tensor start = x;
    x = co_yield start + (middle - sigma) * s.noise_in(2 * i, x, out);
    if (last) break;

    const Question at_middle = s.ask(2 * i + 1, x);
    const at::Tensor out_middle = co_await at_middle;
    x = co_yield start + (next - sigma) * s.noise_in(2 * i + 1, x, out_middle);
  }
  co_return x;
}

}  // namespace waggle::pipeline

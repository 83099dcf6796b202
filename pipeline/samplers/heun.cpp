// Heun's method on the probability-flow ODE: Karras et al., arXiv 2206.00364, algorithm 1 with S_churn = 0.
// Asks at both ends of each step, so that the latents after the first question are Euler's; the last step,
// down to sigma = 0 where the slope is undefined, is Euler's alone.
#include <ATen/TensorOperators.h>

#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {

SamplerCoroutine heun(SamplerContext s, at::Tensor x) {
  for (int i = s.first(); i < s.steps(); ++i) {
    const double sigma = s.step(i).from.sigma;
    const double next = s.step(i).to.sigma;
    const double h = next - sigma;

    const Question at_start = s.ask(2 * i, x);
    const at::Tensor out = co_await at_start;
    const at::Tensor d = (x - s.denoised(2 * i, x, out)) / sigma;
    const at::Tensor start = x;
    x = co_yield start + h * d;
    if (i + 1 == s.steps()) break;

    const Question at_end = s.ask(2 * i + 1, x);
    const at::Tensor out_end = co_await at_end;
    const at::Tensor d_end = (x - s.denoised(2 * i + 1, x, out_end)) / next;
    x = co_yield start + (0.5 * h) * (d + d_end);
  }
  co_return x;
}

}  // namespace waggle::pipeline

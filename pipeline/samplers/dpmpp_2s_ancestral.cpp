// DPM-Solver++(2S) down to sigma_down, then noise of sigma_up: K. Crowson's k-diffusion, after Lu et al.,
// arXiv 2211.01095, algorithm 1 with r = 1/2. Randomness: one draw a step but the last.
#include <ATen/TensorOperators.h>

#include "pipeline/samplers/ancestral.h"
#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {

SamplerCoroutine dpmpp_2s_ancestral(SamplerContext s, at::Tensor x) {
  for (int i = s.first(); i < s.steps(); ++i) {
    const double sigma = s.step(i).from.sigma;
    const AncestralStep next = ancestral_step(sigma, s.step(i).to.sigma);

    const Question at_start = s.ask(2 * i, x);
    const at::Tensor out = co_await at_start;
    const at::Tensor x0 = s.denoised(2 * i, x, out);
    if (i + 1 == s.steps()) {
      x = co_yield x0;
      break;
    }
    const at::Tensor start = x;
    const double to_middle = s.evaluation(2 * i + 1).at.sigma / sigma;
    x = co_yield to_middle * start + (1.0 - to_middle) * x0;

    const Question at_middle = s.ask(2 * i + 1, x);
    const at::Tensor out_middle = co_await at_middle;
    const at::Tensor x0_middle = s.denoised(2 * i + 1, x, out_middle);
    const double to_end = next.down / sigma;
    x = co_yield to_end * start + (1.0 - to_end) * x0_middle + next.up * s.draw(x);
  }
  co_return x;
}

}  // namespace waggle::pipeline

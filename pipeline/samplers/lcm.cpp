// Latent consistency models, multistep sampling: Luo et al., arXiv 2310.04378, algorithm 3, with the boundary
// condition of eq. 9 (sigma_data = 1/2). Randomness: one draw a step but the last.
#include <cmath>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {

SamplerCoroutine lcm(SamplerContext s, at::Tensor x) {
  constexpr double kSigmaData = 0.5;
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    const double t = s.evaluation(i).t * s.solver().timestep_scaling;
    const double c_skip = kSigmaData * kSigmaData / (t * t + kSigmaData * kSigmaData);
    const double c_out = t / std::sqrt(t * t + kSigmaData * kSigmaData);
    x = c_out * s.denoised(i, x, out) + c_skip * x;
    if (i + 1 < s.steps()) x = s.step(i).to.alpha * x + s.step(i).to.sigma * s.draw(x);
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

// Denoising diffusion implicit models: Song et al., arXiv 2010.02502, eq. 12, with eq. 16 for the variance.
// eta = 0 is deterministic, eta = 1 has DDPM's variance. Randomness: one draw a step when eta > 0.
#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {

SamplerCoroutine ddim(SamplerContext s, at::Tensor x) {
  const double eta = s.walk().eta;
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    const double a = s.step(i).from.alpha_bar();
    const double a_prev = s.step(i).to.alpha_bar();
    const double variance = (1.0 - a_prev) / (1.0 - a) * (1.0 - a / a_prev);
    const double sigma = eta * std::sqrt(std::max(variance, 0.0));

    const at::Tensor x0 = s.denoised(i, x, out);
    const at::Tensor eps = s.noise_in(i, x, out);
    x = std::sqrt(a_prev) * x0 + std::sqrt(std::max(1.0 - a_prev - sigma * sigma, 0.0)) * eps;
    if (eta > 0.0) x = x + sigma * s.draw(x);
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

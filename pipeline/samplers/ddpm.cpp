// Denoising diffusion probabilistic models: Ho et al., arXiv 2006.11239. Eq. 15 for x0, eq. 7 for the
// posterior. Randomness: one draw a step, none at timestep 0.
#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {

SamplerCoroutine ddpm(SamplerContext s, at::Tensor x) {
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    const double a = s.step(i).from.alpha_bar();
    const double a_prev = s.step(i).to.alpha_bar();
    const double alpha_t = a / a_prev;
    const double beta_t = 1.0 - alpha_t;

    const at::Tensor x0 = s.denoised(i, x, out);
    const double share = (1.0 - a_prev) / (1.0 - a);  // how much of x_t survives
    x = (std::sqrt(a_prev) * beta_t / (1.0 - a)) * x0 + (std::sqrt(alpha_t) * share) * x;
    if (s.evaluation(i).t > 0.0) {
      const double variance = s.solver().large_variance ? beta_t : std::max(share * beta_t, 1e-20);
      x = x + std::sqrt(variance) * s.draw(x);
    }
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

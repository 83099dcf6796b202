// Trajectory consistency distillation: Zheng et al., arXiv 2402.19159, algorithm 4 (strategic stochastic
// sampling). eta is the paper's gamma: the step goes down to timestep (1 - eta) t' and is noised up again to
// t'. Randomness: one draw a step but the last when eta > 0.
#include <cmath>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {

SamplerCoroutine tcd(SamplerContext s, at::Tensor x) {
  const double eta = s.walk().eta;
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    const bool last = i + 1 == s.steps();
    const double next_t = last ? 0.0 : s.evaluation(i + 1).t;
    // In fp32, because the floor of a product shows a rounding in its last place.
    const int below =
        static_cast<int>(std::floor(static_cast<float>(1.0 - eta) * static_cast<float>(next_t)));
    const double a_s = s.walk().noise.alpha_bar(below);

    x = std::sqrt(a_s) * s.denoised(i, x, out) + std::sqrt(1.0 - a_s) * s.noise_in(i, x, out);
    if (eta > 0.0 && !last) {
      const double ratio = s.walk().noise.alpha_bar(static_cast<int>(next_t)) / a_s;
      x = std::sqrt(ratio) * x + std::sqrt(1.0 - ratio) * s.draw(x);
    }
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

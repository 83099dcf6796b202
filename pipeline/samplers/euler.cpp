// Euler's method on the probability-flow ODE dx/dsigma = (x - D(x; sigma)) / sigma.
// Source: Karras et al., arXiv 2206.00364, algorithm 1 with S_churn = 0 and without the second-order
// correction.
#include <ATen/TensorOperators.h>

#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {

SamplerCoroutine euler(SamplerContext s, at::Tensor x) {
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    const at::Tensor d = s.noise_in(i, x, out);
    x = x + (s.step(i).to.sigma - s.step(i).from.sigma) * d;
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

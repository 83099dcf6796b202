// Ancestral sampling with Euler steps: an Euler step down to sigma_down, then noise of sigma_up (see
// ancestral.h). Source: the sampler of that name in K. Crowson's k-diffusion, after DDPM's posterior (arXiv
// 2006.11239, eq. 7). Randomness: one draw a step, the last (whose factor is zero) included.
#include <ATen/TensorOperators.h>

#include "pipeline/samplers/ancestral.h"
#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {

SamplerCoroutine euler_ancestral(SamplerContext s, at::Tensor x) {
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    const double sigma = s.step(i).from.sigma;
    const AncestralStep next = ancestral_step(sigma, s.step(i).to.sigma);
    const at::Tensor d = s.noise_in(i, x, out);
    x = x + (next.down - sigma) * d + next.up * s.draw(x);
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

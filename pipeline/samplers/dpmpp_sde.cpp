// DPM-Solver++ (2S) on the reverse SDE, in k-diffusion's form: two ancestral exponential steps from the same
// latents, first to the geometric middle, then over the whole step with the picture seen there; Euler in the
// last step. Source: Lu et al., arXiv 2211.01095, with the ancestral split of ancestral.h.
//
// Randomness: one draw for every question but the last. The noise of the two halves is one Brownian path: the
// noise over a whole step is the first half's plus an independent rest, weighted by their lengths in sigma.
#include <cmath>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/ancestral.h"
#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {
namespace {

/// The deterministic part: exact for a constant picture.
at::Tensor descend(double from, double to, const at::Tensor& x, const at::Tensor& x0) {
  return (to / from) * x + (1.0 - to / from) * x0;
}

}  // namespace

SamplerCoroutine dpmpp_sde(SamplerContext s, at::Tensor x) {
  for (int i = s.first(); i < s.steps(); ++i) {
    const double sigma = s.step(i).from.sigma;
    const double next = s.step(i).to.sigma;

    const Question at_start = s.ask(2 * i, x);
    const at::Tensor out = co_await at_start;
    const at::Tensor x0 = s.denoised(2 * i, x, out);
    if (i + 1 == s.steps()) {
      x = co_yield x0;
      break;
    }
    const at::Tensor start = x;
    const double middle = s.evaluation(2 * i + 1).at.sigma;
    const at::Tensor first_noise = s.draw(x);
    const AncestralStep half = ancestral_step(sigma, middle);
    x = co_yield descend(sigma, half.down, start, x0) + half.up * first_noise;

    const Question at_middle = s.ask(2 * i + 1, x);
    const at::Tensor out_middle = co_await at_middle;
    const at::Tensor x0_middle = s.denoised(2 * i + 1, x, out_middle);
    const double share = (sigma - middle) / (sigma - next);
    const at::Tensor noise = std::sqrt(share) * first_noise + std::sqrt(1.0 - share) * s.draw(x);
    const AncestralStep whole = ancestral_step(sigma, next);
    x = co_yield descend(sigma, whole.down, start, x0_middle) + whole.up * noise;
  }
  co_return x;
}

}  // namespace waggle::pipeline

// DPM-Solver in its multistep form: Lu et al., arXiv 2206.00927, with the histories of arXiv 2211.01095.
// It predicts the noise, unlike DPM-Solver++; its step down to sigma = 0 is infinite, so it ends at the
// lowest level.
#include <cmath>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/history.h"
#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {
namespace {

at::Tensor update(const SamplerContext& s, int i, int order, const at::Tensor& x, const History& eps) {
  const Level& from = s.step(i).from;
  const Level& to = s.step(i).to;
  const double h = to.lambda() - from.lambda();
  const double phi_1 = std::expm1(h);
  const at::Tensor first = (to.alpha / from.alpha) * x - (to.sigma * phi_1) * eps[0];
  if (order == 1) return first;  // eq. 3.7

  const double r0 = (from.lambda() - s.step(i - 1).from.lambda()) / h;
  const at::Tensor d1_0 = (eps[0] - eps[1]) / r0;
  const double phi_2 = phi_1 / h - 1.0;
  if (order == 2) return first - (to.sigma * (s.solver().heun ? phi_2 : 0.5 * phi_1)) * d1_0;

  const double r1 = (s.step(i - 1).from.lambda() - s.step(i - 2).from.lambda()) / h;
  const at::Tensor d1_1 = (eps[1] - eps[2]) / r1;
  const at::Tensor d1 = d1_0 + (r0 / (r0 + r1)) * (d1_0 - d1_1);
  const at::Tensor d2 = (d1_0 - d1_1) / (r0 + r1);
  const double phi_3 = (phi_1 - h) / (h * h) - 0.5;
  return first - (to.sigma * phi_2) * d1 - (to.sigma * phi_3) * d2;
}

}  // namespace

SamplerCoroutine dpm_solver(SamplerContext s, at::Tensor x) {
  History eps;
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    eps.push(s.noise_in(i, x, out));
    x = update(s, i, order_of_step(s, i, eps.size()), x, eps);
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

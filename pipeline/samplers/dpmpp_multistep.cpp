// DPM-Solver++(2M), and its third order: Lu et al., arXiv 2211.01095, algorithm 2.
// It predicts the picture x0, which is what keeps it stable under strong guidance. D is x0 and its finite
// differences.
#include <cmath>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/history.h"
#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {
namespace {

at::Tensor update(const SamplerContext& s, int i, int order, const at::Tensor& x, const History& x0) {
  const Level& from = s.step(i).from;
  const Level& to = s.step(i).to;
  const double h = to.lambda() - from.lambda();
  const double phi_1 = std::expm1(-h);  // -1 at the clean end, where h is infinite
  const at::Tensor first = (to.sigma / from.sigma) * x - (to.alpha * phi_1) * x0[0];
  if (order == 1) return first;  // eq. 11 = DDIM

  const double r0 = (from.lambda() - s.step(i - 1).from.lambda()) / h;
  const at::Tensor d1_0 = (x0[0] - x0[1]) / r0;
  const double phi_2 = phi_1 / h + 1.0;
  if (order == 2)
    return s.solver().heun ? first + (to.alpha * phi_2) * d1_0 : first - (0.5 * to.alpha * phi_1) * d1_0;

  const double r1 = (s.step(i - 1).from.lambda() - s.step(i - 2).from.lambda()) / h;
  const at::Tensor d1_1 = (x0[1] - x0[2]) / r1;
  const at::Tensor d1 = d1_0 + (r0 / (r0 + r1)) * (d1_0 - d1_1);
  const at::Tensor d2 = (d1_0 - d1_1) / (r0 + r1);
  const double phi_3 = (phi_1 + h) / (h * h) - 0.5;
  return first + (to.alpha * phi_2) * d1 - (to.alpha * phi_3) * d2;
}

}  // namespace

SamplerCoroutine dpmpp_multistep(SamplerContext s, at::Tensor x) {
  History x0;
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    x0.push(s.denoised(i, x, out));
    x = update(s, i, order_of_step(s, i, x0.size()), x, x0);
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

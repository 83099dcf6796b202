// DPM-Solver++(2S) and (3S), spread over the schedule's points: Lu et al., arXiv 2211.01095, algorithm 1, and
// arXiv 2206.00927, algorithm 2 for the third order. Points come in groups of `order`; the k-th point of a
// group is reached by a k-th order update from the group's first latents, so that each point costs one
// evaluation.
#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/history.h"
#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {
namespace {

/// The order of each of n points: 1, 2, 1, 2, ... (or 1, 2, 3, ...), ending in a first-order step down to
/// zero.
std::vector<int> order_list(int n, int order, bool lower_at_end) {
  std::vector<int> out;
  for (int i = 0; i < n; ++i) out.push_back(i % order + 1);
  if (!lower_at_end || order == 1) return out;
  if (n % order == 0) {
    // The last full group would end high; it becomes 1, 1 (second order) or 1, 2, 1 (third).
    out.back() = 1;
  }
  return out;
}

at::Tensor first_order(const Level& from, const Level& to, const at::Tensor& x, const at::Tensor& x0) {
  return (to.sigma / from.sigma) * x - (to.alpha * std::expm1(from.lambda() - to.lambda())) * x0;
}

/// `start`: the latents at the group's first point, which lies order - 1 points back.
at::Tensor update(const SamplerContext& s, int i, int order, const at::Tensor& start, const History& x0) {
  const Level& to = s.step(i).to;
  const Level& from = s.step(i - (order - 1)).from;
  const at::Tensor base = first_order(from, to, start, x0[order - 1]);
  if (order == 1) return base;

  const double h = to.lambda() - from.lambda();
  const double phi_1 = std::expm1(-h);
  const double phi_2 = phi_1 / h + 1.0;
  const double r0 = (s.step(i).from.lambda() - from.lambda()) / h;
  if (order == 2) {
    const at::Tensor d1 = (x0[0] - x0[1]) / r0;
    return s.solver().heun ? base + (to.alpha * phi_2) * d1 : base - (0.5 * to.alpha * phi_1) * d1;
  }
  const double r1 = (s.step(i - 1).from.lambda() - from.lambda()) / h;
  const at::Tensor d1_1 = (x0[0] - x0[2]) / r0;
  if (!s.solver().heun) return base + (to.alpha * phi_2) * d1_1;
  const at::Tensor d1_0 = (x0[1] - x0[2]) / r1;
  const at::Tensor d1 = (r0 * d1_0 - r1 * d1_1) / (r0 - r1);
  const at::Tensor d2 = 2.0 * (d1_1 - d1_0) / (r0 - r1);
  const double phi_3 = (phi_1 + h) / (h * h) - 0.5;
  return base + (to.alpha * phi_2) * d1 - (to.alpha * phi_3) * d2;
}

}  // namespace

SamplerCoroutine dpmpp_singlestep(SamplerContext s, at::Tensor x) {
  const SolverOptions& solver = s.solver();
  const bool ends_at_zero = s.step(s.steps() - 1).to.sigma == 0.0;
  const bool lower = solver.lower_order_final || ends_at_zero || s.steps() % solver.order != 0;
  const std::vector<int> orders = order_list(s.steps(), solver.order, lower);
  History x0;
  at::Tensor start;
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    x0.push(s.denoised(i, x, out));
    // Strength may enter in the middle of a group; and the step to zero is infinite, which only first order
    // survives.
    int order = std::min(orders[static_cast<std::size_t>(i)], x0.size());
    if (s.step(i).to.sigma == 0.0) order = 1;
    if (order == 1) start = x;
    x = update(s, i, order, start, x0);
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

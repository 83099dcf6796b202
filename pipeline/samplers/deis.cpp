// DEIS, the log-rho Adams-Bashforth variant: Zhang and Chen, arXiv 2204.13902, sec. 4 (rho-AB-DEIS in log
// rho). The noise is interpolated by a polynomial in log rho, rho = sigma / alpha, and integrated over rho
// exactly.
#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/history.h"
#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {
namespace {

double rho(const Level& level) { return level.sigma / level.alpha; }

/// The antiderivative at rho = t of the Lagrange basis in log rho that is 1 at b and 0 at c.
double basis_integral(double t, double b, double c) {
  return t * (std::log(t) - std::log(c) - 1.0) / (std::log(b) - std::log(c));
}

/// The same for the basis that is 1 at b and 0 at c and d.
double basis_integral(double t, double b, double c, double d) {
  const double log_t = std::log(t), log_b = std::log(b), log_c = std::log(c), log_d = std::log(d);
  const double numerator =
      t * (log_c * (log_d - log_t + 1.0) - log_d * log_t + log_d + log_t * log_t - 2.0 * log_t + 2.0);
  return numerator / ((log_b - log_c) * (log_b - log_d));
}

at::Tensor update(const SamplerContext& s, int i, int order, const at::Tensor& x, const History& eps) {
  const Level& from = s.step(i).from;
  const Level& to = s.step(i).to;
  const double end = rho(to), r0 = rho(from);
  if (order == 1) return (to.alpha / from.alpha) * x + (to.alpha * (end - r0)) * eps[0];

  const double r1 = rho(s.step(i - 1).from);
  if (order == 2) {
    const double c0 = basis_integral(end, r0, r1) - basis_integral(r0, r0, r1);
    const double c1 = basis_integral(end, r1, r0) - basis_integral(r0, r1, r0);
    return to.alpha * (x / from.alpha + c0 * eps[0] + c1 * eps[1]);
  }
  const double r2 = rho(s.step(i - 2).from);
  const double c0 = basis_integral(end, r0, r1, r2) - basis_integral(r0, r0, r1, r2);
  const double c1 = basis_integral(end, r1, r2, r0) - basis_integral(r0, r1, r2, r0);
  const double c2 = basis_integral(end, r2, r0, r1) - basis_integral(r0, r2, r0, r1);
  return to.alpha * (x / from.alpha + c0 * eps[0] + c1 * eps[1] + c2 * eps[2]);
}

}  // namespace

SamplerCoroutine deis(SamplerContext s, at::Tensor x) {
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

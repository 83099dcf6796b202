// Linear multistep (Adams-Bashforth of order 4 on uneven steps) on the probability-flow ODE in sigma.
// Source: K. Crowson's k-diffusion; the method is Adams-Bashforth as in Hairer, Norsett and Wanner, sec.
// III.5.
#include <algorithm>
#include <deque>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {
namespace {

constexpr int kOrder = 4;

/// The integral of the j-th Lagrange basis polynomial through the last `order` levels, over step i. Simpson's
/// rule is exact up to degree 3, which is all that order 4 has.
double coefficient(const SamplerContext& s, int order, int i, int j) {
  const auto basis = [&](double sigma) {
    double product = 1.0;
    for (int k = 0; k < order; ++k) {
      if (k == j) continue;
      const double node = s.step(i - k).from.sigma;
      product *= (sigma - node) / (s.step(i - j).from.sigma - node);
    }
    return product;
  };
  const double from = s.step(i).from.sigma;
  const double to = s.step(i).to.sigma;
  return (to - from) / 6.0 * (basis(from) + 4.0 * basis(0.5 * (from + to)) + basis(to));
}

}  // namespace

SamplerCoroutine lms(SamplerContext s, at::Tensor x) {
  std::deque<at::Tensor> slopes;  // newest first
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    slopes.push_front(s.noise_in(i, x, out));
    if (slopes.size() > kOrder) slopes.pop_back();

    // The order counts steps of the schedule, not of the run: a run that strength lets in late uses
    // full-order coefficients on the slopes that it has, as diffusers does.
    const int order = std::min(i + 1, kOrder);
    for (int j = 0; j < std::min(order, static_cast<int>(slopes.size())); ++j) {
      x = x + coefficient(s, order, i, j) * slopes[static_cast<std::size_t>(j)];
    }
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

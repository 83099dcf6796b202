// UniPC: Zhao et al., arXiv 2302.04867. A predictor (UniP, algorithm 2) and, once the model has answered at
// the point it arrived at, a corrector (UniC, algorithm 1) that costs no further evaluation. B(h) = e^h - 1
// ("bh2") or h ("bh1").
#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/history.h"
#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {
namespace {

using Row = std::vector<double>;

/// Solves the little system a x = b (at most 3 x 3) by elimination with pivoting.
Row solve(std::vector<Row> a, Row b) {
  const std::size_t n = b.size();
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t r = column + 1; r < n; ++r) {
      if (std::abs(a[r][column]) > std::abs(a[pivot][column])) pivot = r;
    }
    std::swap(a[column], a[pivot]);
    std::swap(b[column], b[pivot]);
    for (std::size_t r = column + 1; r < n; ++r) {
      const double factor = a[r][column] / a[column][column];
      for (std::size_t c = column; c < n; ++c) a[r][c] -= factor * a[column][c];
      b[r] -= factor * b[column];
    }
  }
  for (std::size_t r = n; r-- > 0;) {
    for (std::size_t c = r + 1; c < n; ++c) b[r] -= a[r][c] * b[c];
    b[r] /= a[r][r];
  }
  return b;
}

/// What predictor and corrector of step i have in common (eq. 3 with the paper's h, r_m, R and b).
struct StepTerms {
  StepTerms(const SamplerContext& s, int i, int order, const at::Tensor& x, const History& m) {
    const Level& from = s.step(i).from;
    const Level& to = s.step(i).to;
    const bool x0 = s.solver().predict_x0;
    const double h = to.lambda() - from.lambda();
    const double hh = x0 ? -h : h;
    const double h_phi_1 = std::expm1(hh);
    base = x0 ? (to.sigma / from.sigma) * x - (to.alpha * h_phi_1) * m[0]
              : (to.alpha / from.alpha) * x - (to.sigma * h_phi_1) * m[0];
    const double b_h = s.solver().bh1 ? hh : h_phi_1;
    scale = (x0 ? to.alpha : to.sigma) * b_h;

    Row r;
    for (int k = 1; k < order; ++k) {
      r.push_back((s.step(i - k).from.lambda() - from.lambda()) / h);
      differences.push_back((m[k] - m[0]) / r.back());
    }
    r.push_back(1.0);
    double h_phi_k = h_phi_1 / hh - 1.0;
    double factorial = 1.0;
    for (int k = 1; k <= order; ++k) {
      Row powers;
      for (const double r_m : r) powers.push_back(std::pow(r_m, k - 1));
      matrix.push_back(powers);
      right.push_back(h_phi_k * factorial / b_h);
      factorial *= k + 1;
      h_phi_k = h_phi_k / hh - 1.0 / factorial;
    }
  }

  at::Tensor base;                      // the first-order step, exact for a constant model
  double scale = 0.0;                   // alpha B(h)
  std::vector<at::Tensor> differences;  // (m_k - m_0) / r_k
  std::vector<Row> matrix;
  Row right;
};

at::Tensor predict(const SamplerContext& s, int i, int order, const at::Tensor& x, const History& m) {
  const StepTerms terms(s, i, order, x, m);
  if (order == 1) return terms.base;
  Row rho = {0.5};  // of order 2 in closed form
  if (order == 3) {
    std::vector<Row> matrix(terms.matrix.begin(), terms.matrix.end() - 1);
    for (Row& row : matrix) row.pop_back();
    rho = solve(matrix, Row(terms.right.begin(), terms.right.end() - 1));
  }
  at::Tensor out = terms.base;
  for (std::size_t k = 0; k < rho.size(); ++k) out = out - (terms.scale * rho[k]) * terms.differences[k];
  return out;
}

/// `arrived` is the model's value at the end of step i, `m` the history without it, `x` the latents at its
/// start.
at::Tensor correct(const SamplerContext& s, int i, int order, const at::Tensor& x, const History& m,
                   const at::Tensor& arrived) {
  const StepTerms terms(s, i, order, x, m);
  const Row rho = order == 1 ? Row{0.5} : solve(terms.matrix, terms.right);
  at::Tensor out = terms.base - (terms.scale * rho.back()) * (arrived - m[0]);
  for (std::size_t k = 0; k + 1 < rho.size(); ++k) out = out - (terms.scale * rho[k]) * terms.differences[k];
  return out;
}

int order_at(const SamplerContext& s, int i, int known) {
  const int order = std::min(s.solver().order, known);
  return s.solver().lower_order_final ? std::min(order, s.steps() - i) : order;
}

}  // namespace

SamplerCoroutine unipc(SamplerContext s, at::Tensor x) {
  const std::vector<int>& uncorrected = s.solver().disable_corrector;
  History m;
  at::Tensor before;  // the latents at the start of the previous step
  int order = 0;
  for (int i = s.first(); i < s.steps(); ++i) {
    const Question question = s.ask(i, x);
    const at::Tensor out = co_await question;
    const at::Tensor value = s.solver().predict_x0 ? s.denoised(i, x, out) : s.noise_in(i, x, out);
    const bool skips = std::find(uncorrected.begin(), uncorrected.end(), i - 1) != uncorrected.end();
    if (before.defined() && !skips) x = correct(s, i - 1, order, before, m, value);
    m.push(value);
    order = order_at(s, i, m.size());
    before = x;
    x = predict(s, i, order, x, m);
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

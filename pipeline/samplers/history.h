// What multistep solvers of the DPM-Solver family share: the last few model values, and the order that a step
// may have.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include <ATen/core/Tensor.h>

#include "pipeline/samplers/context.h"

namespace waggle::pipeline {

/// The last three model values, newest first.
class History {
 public:
  void push(at::Tensor value) {
    values_[2] = std::move(values_[1]);
    values_[1] = std::move(values_[0]);
    values_[0] = std::move(value);
    size_ = std::min(size_ + 1, 3);
  }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] const at::Tensor& operator[](int age) const { return values_[static_cast<std::size_t>(age)]; }

 private:
  std::array<at::Tensor, 3> values_;
  int size_ = 0;
};

/// The order of step i of a run that has `known` model values: lower while the history is short, and lower
/// again at the end of a short run, where high orders overshoot (DPM-Solver++, arXiv 2211.01095, app. D).
inline int order_of_step(const SamplerContext& s, int i, int known) {
  constexpr int kShortRun = 15;
  const SolverOptions& solver = s.solver();
  const bool is_short = solver.lower_order_final && s.steps() < kShortRun;
  const int order = std::min(solver.order, known);
  if (i + 1 == s.steps() && (is_short || solver.euler_at_final || s.step(i).to.sigma == 0.0)) return 1;
  if (i + 2 == s.steps() && is_short) return std::min(order, 2);
  return order;
}

}  // namespace waggle::pipeline

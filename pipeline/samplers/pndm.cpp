// Pseudo numerical methods for diffusion models: Liu et al., arXiv 2202.09778.
//
// The pseudo linear multistep method of eq. 12 over the transfer of eq. 11, started either by three pseudo
// Runge-Kutta steps (eq. 13) or, as Stable Diffusion does ("PLMS"), by one improved Euler step that asks
// twice.
#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/TensorOperators.h>

#include "pipeline/samplers/samplers.h"

namespace waggle::pipeline {
namespace {

/// Eq. 11: from the level of timestep `t` to that of `to`, along the combined output.
at::Tensor transfer(const Walk& walk, const at::Tensor& x, int t, int to, const at::Tensor& out) {
  const auto alpha_bar = [&](int timestep) {
    return timestep < 0 ? walk.final_alpha_bar
                        : walk.noise.alpha_bar(std::min(timestep, walk.noise.size() - 1));
  };
  const double a = alpha_bar(t);
  const double a_to = alpha_bar(to);
  const at::Tensor eps =
      walk.prediction == Prediction::v_prediction ? std::sqrt(a) * out + std::sqrt(1.0 - a) * x : out;
  const double denominator = a * std::sqrt(1.0 - a_to) + std::sqrt(a * (1.0 - a) * a_to);
  return std::sqrt(a_to / a) * x - ((a_to - a) / denominator) * eps;
}

/// Eq. 12, with the lower orders of Adams-Bashforth while the history is short. `e` is oldest first.
at::Tensor adams_bashforth(const std::vector<at::Tensor>& e) {
  const auto last = e.rbegin();
  switch (e.size()) {
    case 1:
      return last[0];
    case 2:
      return (3.0 * last[0] - last[1]) / 2.0;
    case 3:
      return (23.0 * last[0] - 16.0 * last[1] + 5.0 * last[2]) / 12.0;
    default:
      return (55.0 * last[0] - 59.0 * last[1] + 37.0 * last[2] - 9.0 * last[3]) / 24.0;
  }
}

constexpr int kRungeKuttaEvaluations = 12;

}  // namespace

SamplerCoroutine pndm(SamplerContext s, at::Tensor x) {
  const Walk& walk = s.walk();
  const int end = static_cast<int>(walk.evaluations.size());
  const auto timestep = [&](int e) { return static_cast<int>(s.evaluation(e).t); };
  std::vector<at::Tensor> history;
  at::Tensor start;
  int e = walk.first_evaluation;

  if (walk.solver.runge_kutta_start) {
    at::Tensor sum;
    for (; e < kRungeKuttaEvaluations; ++e) {
      const Question question = s.ask(e, x);
      const at::Tensor out = co_await question;
      const int stage = e % 4;
      const int base = timestep(e - stage);
      if (stage == 0) {
        history.push_back(out);
        start = x;
        sum = out / 6.0;
      } else {
        sum = sum + out / (stage == 3 ? 6.0 : 3.0);
      }
      // Stages 0 and 1 look half a step ahead, 2 and 3 arrive.
      const int to = timestep(e) - (stage % 2 == 0 ? walk.stride / 2 : 0);
      x = transfer(walk, start, base, to, stage == 3 ? sum : out);
      x = co_yield x;
    }
  }

  const int first = e;
  for (; e < end; ++e) {
    const Question question = s.ask(e, x);
    const at::Tensor out = co_await question;
    if (e == first + 1 && !walk.solver.runge_kutta_start) {
      // The second look at the first step: the mean of the slopes at both its ends.
      x = transfer(walk, start, timestep(e) + walk.stride, timestep(e), (out + history.back()) / 2.0);
    } else {
      if (history.size() == 4) history.erase(history.begin());
      history.push_back(out);
      start = x;
      x = transfer(walk, x, timestep(e), timestep(e) - walk.stride, adams_bashforth(history));
    }
    x = co_yield x;
  }
  co_return x;
}

}  // namespace waggle::pipeline

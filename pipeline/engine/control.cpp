// Collecting the rows of each ControlNet, and scattering what they answer.
#include "pipeline/engine/control.h"

#include <algorithm>
#include <cmath>

#include <ATen/Functions.h>

namespace waggle::pipeline {
namespace {

/// One control on one row of the batch.
struct Use {
  std::int64_t row;
  const Control* control;
};

/// The factor of each skip and, last, of the middle.
std::vector<double> factors(const Control& control, std::size_t count) {
  std::vector<double> all(count, control.scale);
  if (control.guess_mode)
    for (std::size_t i = 0; i < count; ++i)
      all[i] *= std::pow(10.0, -1.0 + static_cast<double>(i) / static_cast<double>(count - 1));
  return all;
}

void add(at::Tensor& sum, const at::Tensor& answers, std::int64_t rows, const std::vector<Use>& uses,
         const std::vector<std::vector<double>>& scales, std::size_t place) {
  if (!sum.defined()) {
    auto shape = answers.sizes().vec();
    shape[0] = rows;
    sum = at::zeros(shape, answers.options());
  }
  for (std::size_t i = 0; i < uses.size(); ++i)
    sum.narrow(0, uses[i].row, 1).add_(answers.narrow(0, static_cast<std::int64_t>(i), 1) * scales[i][place]);
}

}  // namespace

bool Control::active(int evaluation, int evaluations) const {
  const double n = evaluations;
  return evaluation / n >= start && (evaluation + 1) / n <= end;
}

Residuals control_residuals(std::span<const ControlledRow> rows, ContextCache& cache) {
  std::vector<std::pair<const ControlNet*, std::vector<Use>>> by_net;  // in order of first use
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (const Control* control : rows[row].controls) {
      if (control->guess_mode && rows[row].context.negative) continue;
      const auto same = [&](const auto& entry) { return entry.first == control->net.get(); };
      auto found = std::ranges::find_if(by_net, same);
      if (found == by_net.end()) found = by_net.insert(found, {control->net.get(), {}});
      found->second.push_back({static_cast<std::int64_t>(row), control});
    }

  Residuals sum;
  for (const auto& [net, uses] : by_net) {
    std::vector<at::Tensor> latents, embedded;
    std::vector<float> times;
    std::vector<ContextRow> contexts;
    for (const Use& use : uses) {
      const ControlledRow& row = rows[static_cast<std::size_t>(use.row)];
      latents.push_back(row.latents);
      embedded.push_back(use.control->embedded);
      times.push_back(static_cast<float>(row.t));
      contexts.push_back(row.context);
    }
    const at::Tensor sample = at::cat(latents);
    const Residuals answers = net->forward(sample, at::tensor(times).to(sample.device()),
                                           cache.get(*net, std::move(contexts)), at::cat(embedded));
    const std::size_t skips = answers.skips.size();
    std::vector<std::vector<double>> scales;
    for (const Use& use : uses) scales.push_back(factors(*use.control, skips + 1));
    sum.skips.resize(skips);
    const auto count = static_cast<std::int64_t>(rows.size());
    for (std::size_t i = 0; i < skips; ++i) add(sum.skips[i], answers.skips[i], count, uses, scales, i);
    add(sum.mid, answers.mid, count, uses, scales, skips);
  }
  return sum;
}

}  // namespace waggle::pipeline

// AdamW: one pass over each parameter.
#include "pipeline/training/optimizer.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace waggle::training {
namespace {

struct Update {
  float beta1, beta2, eps, rate, decay, clip, correction1, correction2, average;
};

void update(std::int64_t count, const float* gradient, float* value, float* first, float* second,
            float* average, const Update& u) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * u.clip;
    first[i] = u.beta1 * first[i] + (1.0F - u.beta1) * g;
    second[i] = u.beta2 * second[i] + (1.0F - u.beta2) * g * g;
    const float direction = first[i] * u.correction1 / (std::sqrt(second[i] * u.correction2) + u.eps);
    value[i] -= u.rate * (direction + u.decay * value[i]);
    average[i] += (1.0F - u.average) * (value[i] - average[i]);
  }
}

}  // namespace

Optimizer::Optimizer(const std::map<std::string, at::Tensor>& parameters, OptimizerSettings settings)
    : settings_(settings) {
  for (const auto& [name, tensor] : parameters)
    entries_.push_back({name, tensor, at::zeros_like(tensor.detach()), at::zeros_like(tensor.detach()),
                        tensor.detach().clone(), settings.pace != nullptr ? settings.pace(name) : 1.0});
}

double Optimizer::step(const std::vector<at::Tensor>& gradients, double rate) {
  double squares = 0;
  for (const at::Tensor& gradient : gradients)
    if (gradient.defined()) squares += gradient.square().sum(at::kDouble).item<double>();
  const double length = std::sqrt(squares);
  if (!std::isfinite(length)) return length;

  ++steps_;
  const auto n = static_cast<double>(steps_);
  const auto f = [](double x) { return static_cast<float>(x); };
  Update u{f(settings_.beta1),
           f(settings_.beta2),
           f(settings_.eps),
           f(rate),
           0.0F,
           f(length > settings_.clip ? settings_.clip / length : 1.0),
           f(1.0 / (1.0 - std::pow(settings_.beta1, n))),
           f(1.0 / (1.0 - std::pow(settings_.beta2, n))),
           f(std::min(settings_.average, n / (n + 9.0)))};
  const c10::NoGradGuard no_grad;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    Entry& entry = entries_[i];
    u.rate = f(rate * entry.pace);
    u.decay = entry.value.dim() > 1 ? f(settings_.weight_decay) : 0.0F;
    const at::Tensor gradient = gradients[i].contiguous();
    update(entry.value.numel(), gradient.data_ptr<float>(), entry.value.data_ptr<float>(),
           entry.first.data_ptr<float>(), entry.second.data_ptr<float>(), entry.average.data_ptr<float>(), u);
  }
  return length;
}

std::map<std::string, at::Tensor> Optimizer::averaged() const {
  std::map<std::string, at::Tensor> out;
  for (const Entry& entry : entries_) out[entry.name] = entry.average;
  return out;
}

void Optimizer::swap_averages() {
  const c10::NoGradGuard no_grad;
  for (Entry& entry : entries_) {
    const at::Tensor value = entry.value.detach().clone();
    entry.value.copy_(entry.average);
    entry.average.copy_(value);
  }
}

std::map<std::string, at::Tensor> Optimizer::state() const {
  std::map<std::string, at::Tensor> out;
  for (const Entry& entry : entries_) {
    out["value/" + entry.name] = entry.value.detach();
    out["first/" + entry.name] = entry.first;
    out["second/" + entry.name] = entry.second;
    out["average/" + entry.name] = entry.average;
  }
  out["steps"] = at::full({1}, steps_, at::kLong);
  return out;
}

void Optimizer::load(pipeline::WeightSource& source) {
  const c10::NoGradGuard no_grad;
  for (Entry& entry : entries_) {
    entry.value.copy_(source.take("value/" + entry.name, entry.value.sizes()));
    entry.first.copy_(source.take("first/" + entry.name, entry.value.sizes()));
    entry.second.copy_(source.take("second/" + entry.name, entry.value.sizes()));
    entry.average.copy_(source.take("average/" + entry.name, entry.value.sizes()));
  }
  steps_ = source.take("steps", {1}).item<std::int64_t>();
}

}  // namespace waggle::training

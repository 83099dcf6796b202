// Builds the tables with ATen in fp32, so that sums and products round as they did in training.
#include "pipeline/schedules/training_noise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/sqrt.h>

namespace waggle::pipeline {
namespace {

at::Tensor to_tensor(const std::vector<double>& values) {
  at::Tensor out = at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::transform(values.begin(), values.end(), out.data_ptr<float>(),
                 [](double v) { return static_cast<float>(v); });
  return out;
}

/// The cosine schedule of "Improved DDPM" (arXiv 2102.09672) eq. 17, betas capped at 0.999.
at::Tensor cosine_betas(int size) {
  const auto alpha_bar = [](double t) {
    const double c = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2.0);
    return c * c;
  };
  std::vector<double> betas;
  for (int i = 0; i < size; ++i) {
    const double t1 = static_cast<double>(i) / size;
    const double t2 = static_cast<double>(i + 1) / size;
    betas.push_back(std::min(1.0 - alpha_bar(t2) / alpha_bar(t1), 0.999));
  }
  return to_tensor(betas);
}

at::Tensor trained_betas(const SchedulerConfig& config) {
  const auto floats = at::TensorOptions().dtype(at::kFloat);
  if (!config.trained_betas.empty()) return to_tensor(config.trained_betas);
  if (config.beta_schedule == "squaredcos_cap_v2") return cosine_betas(config.num_train_timesteps);
  if (config.beta_schedule == "linear") {
    return at::linspace(config.beta_start, config.beta_end, config.num_train_timesteps, floats);
  }
  const at::Tensor roots = at::linspace(std::sqrt(config.beta_start), std::sqrt(config.beta_end),
                                        config.num_train_timesteps, floats);
  return roots * roots;
}

/// Shifts and scales sqrt(alpha-bar) so that the last one is 0 and the first one keeps its value.
at::Tensor with_zero_terminal_snr(const at::Tensor& betas) {
  at::Tensor root = at::sqrt(at::cumprod(1.0 - betas, 0));
  const at::Tensor first = root.slice(0, 0, 1).clone();
  const at::Tensor last = root.slice(0, root.numel() - 1).clone();
  root = (root - last) * (first / (first - last));
  const at::Tensor alpha_bar = root * root;
  const at::Tensor alphas = alpha_bar.slice(0, 1) / alpha_bar.slice(0, 0, alpha_bar.numel() - 1);
  return 1.0 - at::cat({alpha_bar.slice(0, 0, 1), alphas});
}

}  // namespace

TrainingNoise::TrainingNoise(const SchedulerConfig& config) {
  at::Tensor betas = trained_betas(config);
  if (config.rescale_betas_zero_snr) betas = with_zero_terminal_snr(betas);
  const at::Tensor table = at::cumprod(1.0 - betas, 0).contiguous();
  const float* const values = table.data_ptr<float>();
  for (std::int64_t i = 0; i < table.numel(); ++i) {
    alpha_bar_.push_back(values[i]);
    const bool terminal = config.rescale_betas_zero_snr && i + 1 == table.numel();
    const float alpha_bar = terminal ? std::ldexp(1.0F, -24) : values[i];
    const float sigma = std::sqrt((1.0F - alpha_bar) / alpha_bar);
    sigma_.push_back(sigma);
    log_sigma_.push_back(std::log(sigma));
  }
}

double TrainingNoise::sigma_at(double t) const {
  const double last = size() - 1;
  if (t <= 0.0) return sigma_.front();
  if (t >= last) return sigma_.back();
  const auto low = static_cast<std::size_t>(t);
  return sigma_[low] + (t - static_cast<double>(low)) * (sigma_[low + 1] - sigma_[low]);
}

double TrainingNoise::sigma_at_log(double t) const {
  const double clamped = std::clamp(t, 0.0, static_cast<double>(size() - 1));
  const auto low = std::min(static_cast<std::size_t>(clamped), sigma_.size() - 2);
  const double w = clamped - static_cast<double>(low);
  return std::exp((1.0 - w) * log_sigma_[low] + w * log_sigma_[low + 1]);
}

double TrainingNoise::timestep_of(double sigma) const {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  const auto above = std::upper_bound(log_sigma_.begin(), log_sigma_.end(), log_sigma,
                                      [](double value, float entry) { return value < entry; });
  const auto below = std::max<std::ptrdiff_t>(above - log_sigma_.begin() - 1, 0);
  const auto low = std::min(static_cast<std::size_t>(below), log_sigma_.size() - 2);
  const double w = (log_sigma_[low] - log_sigma) / (log_sigma_[low] - log_sigma_[low + 1]);
  return static_cast<double>(low) + std::clamp(w, 0.0, 1.0);
}

}  // namespace waggle::pipeline

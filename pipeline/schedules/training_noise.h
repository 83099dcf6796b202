// The discrete noise levels that a model was trained with: alpha-bar of each training timestep, the same as
// sigma = sqrt((1 - alpha-bar) / alpha-bar), and the way between timesteps and sigmas. It knows nothing of a
// run's steps.
#pragma once

#include <vector>

#include "pipeline/schedules/scheduler_config.h"

namespace waggle::pipeline {

/// **Source**: DDPM (arXiv 2006.11239) eq. 4 for alpha-bar; zero terminal SNR: arXiv 2305.08891, algorithm 1.
/// The tables are rounded to fp32 exactly where training code rounds them, because a level's fifth digit is
/// visible.
class TrainingNoise {
 public:
  explicit TrainingNoise(const SchedulerConfig& config);

  [[nodiscard]] int size() const { return static_cast<int>(alpha_bar_.size()); }
  /// Of training timestep t, 0..size-1. Exactly 0 at the last one with zero terminal SNR.
  [[nodiscard]] double alpha_bar(int t) const { return alpha_bar_[static_cast<std::size_t>(t)]; }
  /// Finite also with zero terminal SNR (alpha-bar then counts as 2^-24, sigma as 4096).
  [[nodiscard]] double sigma(int t) const { return sigma_[static_cast<std::size_t>(t)]; }
  [[nodiscard]] double sigma_min() const { return sigma_.front(); }
  [[nodiscard]] double sigma_max() const { return sigma_.back(); }
  /// Linear interpolation between the levels of neighbouring timesteps; clamped to the table.
  [[nodiscard]] double sigma_at(double t) const;
  /// The same, linear in log sigma.
  [[nodiscard]] double sigma_at_log(double t) const;
  /// The fractional timestep of a level: linear interpolation in log sigma, clamped to 0..size-1.
  [[nodiscard]] double timestep_of(double sigma) const;

 private:
  std::vector<double> alpha_bar_;  // fp32 values
  std::vector<double> sigma_;      // fp32 values, ascending
  std::vector<float> log_sigma_;
};

}  // namespace waggle::pipeline

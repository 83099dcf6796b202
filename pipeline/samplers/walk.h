// A walk: everything about a run that is decided before the first step. Samplers read it; nothing changes it.
//
// One notation for all samplers: latents at a level are x = alpha * x0 + sigma * noise. DDPM's descendants
// keep alpha^2 + sigma^2 = 1 (variance preserving), k-diffusion's keep alpha = 1 (variance exploding).
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "pipeline/schedules/scheduler_config.h"
#include "pipeline/schedules/training_noise.h"

namespace waggle::pipeline {

struct Level {
  double alpha = 1.0;
  double sigma = 0.0;

  /// sqrt(alpha^2 + sigma^2): the network sees x divided by it.
  [[nodiscard]] double norm() const { return std::hypot(alpha, sigma); }
  /// Half the log signal-to-noise ratio, log(alpha / sigma); infinite at the clean end.
  [[nodiscard]] double lambda() const { return std::log(alpha) - std::log(sigma); }
  /// alpha^2 in DDPM's notation.
  [[nodiscard]] double alpha_bar() const { return alpha * alpha / (alpha * alpha + sigma * sigma); }
};

inline Level exploding_level(double sigma) { return {1.0, sigma}; }
inline Level preserving_level(double sigma) {
  const double alpha = 1.0 / std::sqrt(sigma * sigma + 1.0);
  return {alpha, sigma * alpha};
}
inline Level level_of_alpha_bar(double alpha_bar) {
  return {std::sqrt(alpha_bar), std::sqrt(1.0 - alpha_bar)};
}

/// One step of the schedule: from the level that the network is asked at to the level that the step arrives
/// at.
struct Step {
  Level from;
  Level to;
};

/// One question to the network.
struct Evaluation {
  double t;     ///< timestep handed to it
  Level at;     ///< level of the latents that it sees
  Level after;  ///< level that the latents count as once the evaluation is done
};

/// Choices within a family of solvers.
struct SolverOptions {
  int order = 2;
  bool heun = false;  ///< DPM-Solver's "heun" form of second order instead of "midpoint"
  bool bh1 = false;   ///< UniPC's B(h) = h instead of e^h - 1
  bool lower_order_final = true;
  bool euler_at_final = false;
  bool predict_x0 = true;              ///< UniPC
  std::vector<int> disable_corrector;  ///< UniPC
  bool runge_kutta_start = false;      ///< PNDM
  bool large_variance = false;         ///< DDPM
  double timestep_scaling = 10.0;      ///< LCM
};

struct Walk {
  explicit Walk(const SchedulerConfig& model) : noise(model), prediction(model.prediction) {}

  TrainingNoise noise;
  std::vector<Step> steps;              ///< the whole schedule, [n]
  std::vector<Evaluation> evaluations;  ///< of the whole schedule
  int first_step = 0;                   ///< where strength enters the schedule
  int first_evaluation = 0;
  std::optional<int> end_evaluation;  ///< where another model goes on; nothing: the run goes to the end
  Prediction prediction = Prediction::epsilon;
  std::optional<double> clip;  ///< x0 is held within +-clip
  double eta = 0.0;
  int stride = 1;                ///< PNDM: training timesteps per step
  double final_alpha_bar = 1.0;  ///< what lies beyond timestep 0
  SolverOptions solver;
};

}  // namespace waggle::pipeline

// A network that is known in closed form, and a driver for sampler coroutines.
//
// The network is the ideal denoiser of pictures whose values are independent Gaussians N(mean, spread^2). For
// it the probability-flow ODE has a known solution at every level, and the reverse SDE ends at that Gaussian.
#pragma once

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pipeline/samplers/plan.h"
#include "pipeline/schedules/training_noise.h"

namespace waggle::pipeline::closed_form {

inline constexpr double kMean = 0.3;
inline constexpr double kSpread = 0.8;

/// The ideal denoiser's raw output for a batch: x [k, C, h, w], one timestep each.
class GaussianNetwork {
 public:
  explicit GaussianNetwork(const SchedulerConfig& model) : noise_(model), prediction_(model.prediction) {}
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const std::vector<double>& t) const;
  /// The same for one sample whose level is known better than its timestep tells.
  [[nodiscard]] at::Tensor at_level(const at::Tensor& x, double sigma) const;

 private:
  TrainingNoise noise_;
  Prediction prediction_;
};

/// The ODE's solution at level sigma (alpha = 1) for the standard normal z that it started from.
at::Tensor exact(const at::Tensor& z, double sigma);

/// What a run did.
struct Trace {
  std::vector<double> asked;        ///< timesteps of the questions
  std::vector<at::Tensor> latents;  ///< after each evaluation
  at::Tensor end;
};

/// What the driver puts in place of the latents after evaluation i.
using Replace = std::function<at::Tensor(const at::Tensor& x, int i)>;

/// Levels of the evaluations, for runs whose timesteps are rounded; empty: the network reads the timestep.
using EvaluationLevels = std::vector<double>;

Trace run(const Plan& plan, at::Tensor start, NoiseSource& noise, const GaussianNetwork& network,
          const Replace& replace = {}, const EvaluationLevels& levels = {});

/// Runs images side by side: their questions are answered by one call of the network on the whole batch.
std::vector<at::Tensor> run_together(const Plan& plan, const std::vector<at::Tensor>& starts,
                                     const std::vector<std::int64_t>& seeds, const GaussianNetwork& network);

/// make_plan for requests that must succeed.
std::shared_ptr<const Plan> plan_for(const SchedulerConfig& model, const PlanRequest& request);

/// Stable Diffusion 1's noise, with nothing said about samplers.
SchedulerConfig stable_diffusion();

}  // namespace waggle::pipeline::closed_form

// scheduler_config.json: what a model says of the noise it was trained with and of the sampler that it was
// shipped with. Values that the file leaves out stay absent, because their default depends on the sampler.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace waggle::pipeline {

enum class Prediction { epsilon, v_prediction, sample };
enum class Spacing { leading, trailing, linspace };

struct SchedulerConfig {
  std::string class_name;  ///< "PNDMScheduler"; chooses the default sampler
  int num_train_timesteps = 1000;
  double beta_start = 0.00085, beta_end = 0.012;
  std::string beta_schedule = "scaled_linear";  ///< "linear", "scaled_linear", "squaredcos_cap_v2"
  std::vector<double> trained_betas;            ///< overrides the three above when not empty
  Prediction prediction = Prediction::epsilon;
  std::optional<Spacing> spacing;
  int steps_offset = 0;
  bool set_alpha_to_one = true;
  bool clip_sample = false;
  bool skip_prk_steps = false;
  bool rescale_betas_zero_snr = false;
  bool use_karras_sigmas = false;
  std::optional<std::string> algorithm_type;  ///< DPM-Solver family
  std::optional<int> solver_order;
  std::optional<double> eta;

  double clip_sample_range = 1.0;
  bool use_exponential_sigmas = false;  ///< also what `use_lu_lambdas` means
  bool use_beta_sigmas = false;
  std::optional<std::string> solver_type;        ///< "midpoint", "heun", "bh1", "bh2", "logrho"
  std::optional<std::string> final_sigmas_type;  ///< "zero", "sigma_min"
  std::string variance_type = "fixed_small";     ///< DDPM: "fixed_small", "fixed_large"
  bool lower_order_final = true;
  bool euler_at_final = false;
  bool predict_x0 = true;              ///< UniPC on the denoised picture, not on the noise
  std::vector<int> disable_corrector;  ///< UniPC: steps after which the corrector is left out
  int original_inference_steps = 50;   ///< LCM and TCD: the points that were distilled
  double timestep_scaling = 10.0;      ///< LCM's boundary condition
};

/// From the text of a scheduler_config.json, or of a golden case's resolved `scheduler_config` (`class_name`
/// then comes from the case). Python's bare Infinity and NaN are accepted and mean "absent". Errors:
/// model_load_failed naming the key.
Result<SchedulerConfig> parse_scheduler_config(std::string_view json, std::string class_name = "");

}  // namespace waggle::pipeline

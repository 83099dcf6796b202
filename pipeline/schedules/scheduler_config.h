// scheduler_config.json: what a model says of the noise it was trained with and of the sampler that it was shipped
// with. Values that the file leaves out stay absent, because their default depends on the sampler.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
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
  std::optional<std::string> algorithm_type;    ///< DPM-Solver family
  std::optional<int> solver_order;
  std::optional<double> eta;
};

/// From the text of a scheduler_config.json, or of a golden case's resolved `scheduler_config` (`class_name` then comes
/// from the case). Errors: model_load_failed naming the key.
Result<SchedulerConfig> parse_scheduler_config(std::string_view json, std::string class_name = "");

}  // namespace waggle::pipeline

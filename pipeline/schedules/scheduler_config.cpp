// Reads scheduler_config.json. It checks types and ranges; whether a sampler can use the values is
// make_plan's affair.
#include "pipeline/schedules/scheduler_config.h"

#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "pipeline/schedules/python_json.h"
#include "pipeline/weights/shallow_json.h"

namespace waggle::pipeline {
namespace {

using Json = nlohmann::json;

/// Thrown inside this file only; parse_scheduler_config turns it into a Result.
struct BadKey {
  std::string message;
};

[[noreturn]] void refuse(std::string_view key, const std::string& what) {
  throw BadKey{"scheduler_config.json: \"" + std::string(key) + "\" " + what};
}

/// The value of a key, or nullptr when it is missing or null.
const Json* find(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it == json.end() || it->is_null() ? nullptr : &*it;
}

void read(const Json& json, const char* key, bool& out) {
  if (const Json* value = find(json, key)) {
    if (!value->is_boolean()) refuse(key, "must be true or false");
    out = value->get<bool>();
  }
}

void read(const Json& json, const char* key, double& out) {
  if (const Json* value = find(json, key)) {
    if (!value->is_number()) refuse(key, "must be a number");
    out = value->get<double>();
  }
}

void read(const Json& json, const char* key, int& out, int low, int high) {
  if (const Json* value = find(json, key)) {
    if (!value->is_number_integer() || value->get<std::int64_t>() < low ||
        value->get<std::int64_t>() > high) {
      refuse(key, "must be a whole number between " + std::to_string(low) + " and " + std::to_string(high));
    }
    out = value->get<int>();
  }
}

void read(const Json& json, const char* key, std::string& out) {
  if (const Json* value = find(json, key)) {
    if (!value->is_string()) refuse(key, "must be a string");
    out = value->get<std::string>();
  }
}

template <class T, class... Bounds>
void read(const Json& json, const char* key, std::optional<T>& out, Bounds... bounds) {
  if (find(json, key) == nullptr) return;
  T value{};
  read(json, key, value, bounds...);
  out = std::move(value);
}

/// Defaults that a file relies on when it leaves keys out depend on the class that wrote it.
void set_class_defaults(SchedulerConfig& c) {
  const std::string& name = c.class_name;
  const bool distilled = name == "LCMScheduler" || name == "TCDScheduler";
  const bool k_diffusion = name == "HeunDiscreteScheduler" || name == "DPMSolverSDEScheduler" ||
                           name == "KDPM2DiscreteScheduler" || name == "KDPM2AncestralDiscreteScheduler";
  if (!distilled) c.beta_schedule = "linear";
  if (!distilled && !k_diffusion) c.beta_start = 0.0001, c.beta_end = 0.02;
  c.clip_sample = name == "DDIMScheduler" || name == "DDPMScheduler" || name == "LCMScheduler";
  c.set_alpha_to_one = name != "PNDMScheduler";
  c.skip_prk_steps = name != "PNDMScheduler";
  c.lower_order_final = name != "DPMSolverSinglestepScheduler";
}

Prediction prediction_named(const std::string& name) {
  if (name == "epsilon") return Prediction::epsilon;
  if (name == "v_prediction") return Prediction::v_prediction;
  if (name == "sample" || name == "original_sample") return Prediction::sample;
  refuse("prediction_type", "must be epsilon, v_prediction or sample");
}

Spacing spacing_named(const std::string& name) {
  if (name == "leading") return Spacing::leading;
  if (name == "trailing") return Spacing::trailing;
  if (name == "linspace") return Spacing::linspace;
  refuse("timestep_spacing", "must be leading, trailing or linspace");
}

void read_noise(const Json& json, SchedulerConfig& c) {
  read(json, "num_train_timesteps", c.num_train_timesteps, 1, 100000);
  read(json, "beta_start", c.beta_start);
  read(json, "beta_end", c.beta_end);
  read(json, "beta_schedule", c.beta_schedule);
  if (c.beta_schedule != "linear" && c.beta_schedule != "scaled_linear" &&
      c.beta_schedule != "squaredcos_cap_v2") {
    refuse("beta_schedule", "must be linear, scaled_linear or squaredcos_cap_v2");
  }
  const auto is_beta = [](double beta) { return std::isfinite(beta) && beta > 0.0 && beta < 1.0; };
  if (!is_beta(c.beta_start)) refuse("beta_start", "must lie between 0 and 1");
  if (!is_beta(c.beta_end)) refuse("beta_end", "must lie between 0 and 1");
  if (const Json* betas = find(json, "trained_betas")) {
    if (!betas->is_array()) refuse("trained_betas", "must be a list of numbers");
    for (const Json& beta : *betas) {
      if (!beta.is_number() || !is_beta(beta.get<double>()))
        refuse("trained_betas", "must lie between 0 and 1");
      c.trained_betas.push_back(beta.get<double>());
    }
    if (!c.trained_betas.empty() &&
        c.trained_betas.size() != static_cast<std::size_t>(c.num_train_timesteps)) {
      refuse("trained_betas", "must have num_train_timesteps entries");
    }
  }
  read(json, "rescale_betas_zero_snr", c.rescale_betas_zero_snr);
  if (const Json* value = find(json, "prediction_type")) {
    c.prediction = prediction_named(value->is_string() ? value->get<std::string>() : "");
  }
}

void read_solver(const Json& json, SchedulerConfig& c) {
  if (const Json* value = find(json, "timestep_spacing")) {
    c.spacing = spacing_named(value->is_string() ? value->get<std::string>() : "");
  }
  read(json, "steps_offset", c.steps_offset, 0, c.num_train_timesteps - 1);
  read(json, "set_alpha_to_one", c.set_alpha_to_one);
  read(json, "clip_sample", c.clip_sample);
  read(json, "clip_sample_range", c.clip_sample_range);
  read(json, "skip_prk_steps", c.skip_prk_steps);
  read(json, "use_karras_sigmas", c.use_karras_sigmas);
  read(json, "use_exponential_sigmas", c.use_exponential_sigmas);
  if (bool lu = false; read(json, "use_lu_lambdas", lu), lu) c.use_exponential_sigmas = true;
  read(json, "use_beta_sigmas", c.use_beta_sigmas);
  read(json, "algorithm_type", c.algorithm_type);
  read(json, "solver_order", c.solver_order, 1, 3);
  read(json, "solver_type", c.solver_type);
  read(json, "final_sigmas_type", c.final_sigmas_type);
  read(json, "variance_type", c.variance_type);
  read(json, "lower_order_final", c.lower_order_final);
  read(json, "euler_at_final", c.euler_at_final);
  read(json, "predict_x0", c.predict_x0);
  read(json, "original_inference_steps", c.original_inference_steps, 1, c.num_train_timesteps);
  read(json, "timestep_scaling", c.timestep_scaling);
  read(json, "eta", c.eta);
  if (const Json* steps = find(json, "disable_corrector")) {
    if (!steps->is_array()) refuse("disable_corrector", "must be a list of steps");
    for (const Json& step : *steps) {
      if (!step.is_number_integer()) refuse("disable_corrector", "must be a list of steps");
      c.disable_corrector.push_back(step.get<int>());
    }
  }
  // Pixel models clip by percentiles; latent models never do, and a silently ignored setting would be a wrong
  // picture.
  if (bool thresholding = false; read(json, "thresholding", thresholding), thresholding) {
    refuse("thresholding", "is not supported for latent models");
  }
}

}  // namespace

Result<SchedulerConfig> parse_scheduler_config(std::string_view json, std::string class_name) {
  const Json parsed = parse_shallow_json(without_python_numbers(json));
  if (!parsed.is_object())
    return Error{ErrorCode::model_load_failed, "scheduler_config.json: not a JSON object"};
  try {
    SchedulerConfig config;
    config.class_name = std::move(class_name);
    if (config.class_name.empty()) read(parsed, "_class_name", config.class_name);
    set_class_defaults(config);
    read_noise(parsed, config);
    read_solver(parsed, config);
    return config;
  } catch (const BadKey& bad) {
    return Error{ErrorCode::model_load_failed, bad.message};
  }
}

}  // namespace waggle::pipeline

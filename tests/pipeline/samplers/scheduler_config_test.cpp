// scheduler_config.json as files in the wild have it, and as they should not have it.
#include "pipeline/schedules/scheduler_config.h"

#include <catch2/catch.hpp>

#include "pipeline/schedules/python_json.h"

namespace waggle::pipeline {

TEST_CASE("scheduler config: a file as diffusers writes it, Python's infinity included") {
  const auto config = parse_scheduler_config(R"({
    "_class_name": "DPMSolverMultistepScheduler", "beta_start": 0.00085, "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "trained_betas": null, "lambda_min_clipped": -Infinity,
    "prediction_type": "v_prediction", "timestep_spacing": "trailing", "steps_offset": 1, "solver_order": 3,
    "algorithm_type": "dpmsolver++", "use_karras_sigmas": true, "rescale_betas_zero_snr": true, "unknown": {"a": [1]}})");
  REQUIRE(config);
  CHECK(config->class_name == "DPMSolverMultistepScheduler");
  CHECK(config->prediction == Prediction::v_prediction);
  CHECK(config->spacing == Spacing::trailing);
  CHECK(config->solver_order == 3);
  CHECK(config->use_karras_sigmas);
  CHECK(config->rescale_betas_zero_snr);
  CHECK(config->trained_betas.empty());
}

TEST_CASE("scheduler config: what a file leaves out is the default of the class that wrote it") {
  CHECK(parse_scheduler_config("{}", "DDIMScheduler")->clip_sample);
  CHECK_FALSE(parse_scheduler_config("{}", "EulerDiscreteScheduler")->clip_sample);
  CHECK_FALSE(parse_scheduler_config("{}", "PNDMScheduler")->set_alpha_to_one);
  CHECK_FALSE(parse_scheduler_config("{}", "PNDMScheduler")->skip_prk_steps);
  CHECK(parse_scheduler_config("{}", "DDIMScheduler")->beta_schedule == "linear");
  CHECK(parse_scheduler_config("{}", "LCMScheduler")->beta_schedule == "scaled_linear");
  CHECK_FALSE(parse_scheduler_config("{}")->spacing.has_value());
}

TEST_CASE("scheduler config: a bad value is named by its key") {
  const std::pair<const char*, const char*> kBad[] = {
      {R"({"beta_start": "x"})", "beta_start"},
      {R"({"beta_end": 2})", "beta_end"},
      {R"({"num_train_timesteps": 0})", "num_train_timesteps"},
      {R"({"num_train_timesteps": 1e9})", "num_train_timesteps"},
      {R"({"beta_schedule": "sigmoid"})", "beta_schedule"},
      {R"({"prediction_type": "flow"})", "prediction_type"},
      {R"({"timestep_spacing": 3})", "timestep_spacing"},
      {R"({"trained_betas": [0.1, 0.2]})", "trained_betas"},
      {R"({"trained_betas": [0.1, "a"]})", "trained_betas"},
      {R"({"steps_offset": -1})", "steps_offset"},
      {R"({"solver_order": 4})", "solver_order"},
      {R"({"thresholding": true})", "thresholding"},
      {R"({"clip_sample": 1})", "clip_sample"},
  };
  for (const auto& [json, key] : kBad) {
    INFO(json);
    const auto config = parse_scheduler_config(json);
    REQUIRE_FALSE(config);
    CHECK(config.error().code == ErrorCode::model_load_failed);
    CHECK(config.error().message.find(key) != std::string::npos);
  }
  CHECK_FALSE(parse_scheduler_config(""));
  CHECK_FALSE(parse_scheduler_config("[]"));
  CHECK_FALSE(parse_scheduler_config("{\"a\":"));
}

TEST_CASE("python json: only bare words are replaced") {
  CHECK(without_python_numbers(R"({"a": -Infinity, "b": Infinity, "c": NaN})") ==
        R"({"a": null, "b": null, "c": null})");
  CHECK(without_python_numbers(R"({"NaN": "Infinity \" NaN"})") == R"({"NaN": "Infinity \" NaN"})");
  CHECK(without_python_numbers("\"\\") == "\"\\");
}

}  // namespace waggle::pipeline

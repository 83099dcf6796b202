// The families of golden cases. Each takes a directory and reports under "<set>/<case>.<tensor>".
#pragma once

#include <filesystem>

#include "pipeline/models/controlnet.h"
#include "pipeline/models/stable_diffusion.h"
#include "tests/golden/golden_set.h"
#include "tests/golden/report.h"

namespace waggle::golden {

/// Everything below `dir`: each directory with a golden.json, scheduler_golden.json, lora_golden.json, ... in
/// it.
void run_all(const std::filesystem::path& dir, Report& report);

/// tokens_clip.json.
void run_token_cases(const std::filesystem::path& dir, Report& report);
/// scheduler_golden.*
void run_scheduler_cases(const std::filesystem::path& dir, Report& report);
/// golden.* of a model directory: parts, then whole runs.
void run_model_cases(const std::filesystem::path& dir, Report& report);

/// single-file.json: checkpoints `<model>_single.safetensors` under the original names, whose numbers are
/// those of ../<model>.
void run_single_file_cases(const std::filesystem::path& dir, Report& report);

/// controlnet_golden.* of a ControlNet's folder: its residuals, then whole runs with it.
void run_controlnet_cases(const std::filesystem::path& dir, Report& report);

/// lora_golden.*: LoRA files beside it, each merged into the model ../<model> that its name begins with
/// (`sd15_kohya.safetensors`).
void run_lora_cases(const std::filesystem::path& dir, Report& report);

/// Tokens, text encoders, UNet, VAE of one loaded model.
void run_part_cases(const pipeline::StableDiffusion& model, const GoldenSet& set, const std::string& name,
                    Report& report);
/// Whole runs (text to image, image to image, inpainting) of one loaded model; with a ControlNet for sets
/// that say how it is used.
void run_pipeline_cases(const pipeline::StableDiffusion& model, const GoldenSet& set, const std::string& name,
                        Report& report, const std::shared_ptr<const pipeline::ControlNet>& controlnet = {});

/// One of them, by its name in the set.
void run_pipeline_case(const pipeline::StableDiffusion& model, const GoldenSet& set, const std::string& key,
                       const std::string& full_name, Report& report,
                       const std::shared_ptr<const pipeline::ControlNet>& controlnet = {});

}  // namespace waggle::golden

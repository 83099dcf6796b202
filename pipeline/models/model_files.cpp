// Finding the parts of a diffusers folder, and telling its family from the configurations.
#include "pipeline/models/model_files.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "pipeline/models/unet.h"
#include "pipeline/models/vae.h"
#include "pipeline/samplers/plan.h"
#include "pipeline/schedules/scheduler_config.h"
#include "pipeline/weights/weight_files.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;

PartFiles part(const fs::path& model, const std::string& folder, const std::string& stem) {
  return find_part_files(model / folder, stem);
}

std::string read_small(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    throw LoadError(file.parent_path().filename().string() + "/" + file.filename().string() +
                    " cannot be read");
  std::string text(1 << 20, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::string family_of(const UNetConfig& unet, const SchedulerConfig& scheduler, std::size_t text_encoders) {
  // Distilled models are told by the schedule they were distilled for.
  const bool euler = scheduler.class_name.starts_with("Euler");
  if (euler && scheduler.spacing == Spacing::trailing && scheduler.prediction == Prediction::epsilon)
    return "turbo";
  std::string family = "sd15";
  if (unet.added_width > 0)
    family = text_encoders == 1 ? "sdxl-refiner" : "sdxl";
  else if (unet.linear_projection)
    family = "sd21";
  return unet.in_channels == 9 ? family + "-inpaint" : family;
}

}  // namespace

ModelFiles find_model_files(const fs::path& path, const CheckpointSides& sides) {
  if (!fs::exists(path)) throw LoadError(path.filename().string() + ": does not exist");
  if (!fs::is_directory(path)) return find_checkpoint_files(path, sides);
  const Config index = Config::read(path / "model_index.json");
  ModelFiles files{path,
                   index.text("_class_name"),
                   {},
                   {},
                   part(path, "unet", "diffusion_pytorch_model"),
                   part(path, "vae", "diffusion_pytorch_model"),
                   read_small(path / "scheduler/scheduler_config.json"),
                   index.boolean("force_zeros_for_empty_prompt", false)};
  for (const char* suffix : {"", "_2"}) {
    const std::string name = std::string("text_encoder") + suffix;
    // An absent part is either left out or listed as [null, null].
    const auto& json = index.json();
    if (!json.contains(name) || (json[name].is_array() && !json[name].empty() && json[name][0].is_null()))
      continue;
    files.text_encoders.push_back(part(path, name, "model"));
    files.tokenizers.push_back({path / (std::string("tokenizer") + suffix), {}});
  }
  if (files.text_encoders.empty()) throw LoadError(path.filename().string() + ": has no text encoder");
  // Diffusers passes over what begins with an underscore.
  if (index.has("_guidance_scale"))
    files.guidance_scale = std::clamp(index.number("_guidance_scale"), 0.0, 100.0);
  return files;
}

ModelDescription describe(const ModelFiles& files, std::string name) {
  const UNetConfig unet = UNetConfig::from(files.unet.config);
  const VaeConfig vae = VaeConfig::from(files.vae.config);
  const auto scheduler = parse_scheduler_config(files.scheduler_json);
  if (!scheduler) throw LoadError("scheduler_config.json: " + scheduler.error().message);
  const auto plan = make_plan(*scheduler, {});

  ModelDescription model;
  model.name = std::move(name);
  model.path = files.path;
  model.family = family_of(unet, *scheduler, files.text_encoders.size());
  model.default_width = model.default_height = static_cast<int>(unet.sample_size * vae.factor());
  if (model.family == "turbo") {
    model.default_steps = 4;
    model.default_guidance = 0.0;
  } else if (model.family.starts_with("sdxl")) {
    model.default_guidance = 5.0;
  }
  if (files.guidance_scale) model.default_guidance = *files.guidance_scale;
  if (plan) model.default_sampler = (*plan)->sampler();
  return model;
}

Result<ModelDescription> describe_model(const fs::path& path, std::string name, const fs::path& tokenizer_dir,
                                        const std::string& family) {
  try {
    return describe(find_model_files(path, {tokenizer_dir, {}, family}), std::move(name));
  } catch (const std::exception& error) {
    return Error{ErrorCode::model_load_failed, error.what()};
  }
}

PartFiles find_part_files(const fs::path& dir, const std::string& stem) {
  const auto files = weight_files(dir, stem);
  std::int64_t bytes = 0;
  for (const auto& file : files) bytes += static_cast<std::int64_t>(fs::file_size(file));
  return {Config::read(dir / "config.json"),
          [files] { return std::make_unique<FileWeights>(files); },
          bytes,
          {files, ""}};
}

}  // namespace waggle::pipeline

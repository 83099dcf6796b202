// Where the parts of a model lie: a diffusers folder, by its model_index.json. Reads configurations, never
// weights.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/models/config.h"
#include "pipeline/pipeline.h"

namespace waggle::pipeline {

/// The configuration of one part and the files its weights come from.
struct PartFiles {
  Config config;
  std::vector<std::filesystem::path> weights;
};

struct ModelFiles {
  std::filesystem::path path;
  std::string class_name;  ///< "StableDiffusionPipeline", "StableDiffusionXLPipeline", ...
  std::vector<PartFiles> text_encoders;
  std::vector<std::filesystem::path> tokenizers;  ///< directories, one per text encoder
  PartFiles unet, vae;
  std::string scheduler_json;  ///< text of scheduler_config.json
  bool force_zeros_for_empty_prompt = false;
};

/// Throws LoadError naming what is missing.
ModelFiles find_model_files(const std::filesystem::path& path);

/// Family, defaults and size from the configurations alone.
ModelDescription describe(const ModelFiles& files, std::string name);

}  // namespace waggle::pipeline

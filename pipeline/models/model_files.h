// Where the parts of a model lie: a diffusers folder, by its model_index.json, or a single checkpoint under
// the original names. Reads configurations and headers, never weights.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/models/config.h"
#include "pipeline/pipeline.h"
#include "pipeline/weights/weight_source.h"

namespace waggle::pipeline {

/// What the tensors of a part are, beyond their names: where they are read from and what is read there.
struct PartContent {
  std::vector<std::filesystem::path> files;  ///< empty: from no file alone
  std::string place;                         ///< within the files
};

/// The configuration of one part, and its tensors under diffusers' names.
struct PartFiles {
  Config config;
  std::function<std::unique_ptr<WeightSource>()> open;  ///< throws LoadError
  std::int64_t bytes = 0;                               ///< of its tensors as stored
  PartContent content = {};
};

/// What a single checkpoint does not hold. Folders in diffusers layout.
struct CheckpointSides {
  std::filesystem::path tokenizer_dir;  ///< vocab.json and merges.txt; empty: `tokenizer` beside the file
  std::filesystem::path
      config_dir;  ///< with model_index.json, unet/config.json, ...; empty: the family's own
  std::string family =
      {};  ///< what to take the file for where its tensors leave a choice; see describe_model
};

struct ModelFiles {
  std::filesystem::path path;
  std::string class_name;  ///< "StableDiffusionPipeline", "StableDiffusionXLPipeline", ...
  std::vector<PartFiles> text_encoders;
  struct TokenizerFiles {
    std::filesystem::path dir;
    std::optional<std::int32_t> pad;  ///< overrides the folder's own pad token
  };
  std::vector<TokenizerFiles> tokenizers;  ///< one per text encoder
  PartFiles unet, vae;
  std::string scheduler_json;  ///< text of scheduler_config.json
  bool force_zeros_for_empty_prompt = false;
  std::optional<double> guidance_scale =
      {};  ///< that its maker recommends: "_guidance_scale" in model_index.json
};

/// One part as a folder in diffusers layout: config.json and the weights called `stem`. Throws LoadError.
PartFiles find_part_files(const std::filesystem::path& dir, const std::string& stem);

/// A folder or a checkpoint file. Throws LoadError naming what is missing.
ModelFiles find_model_files(const std::filesystem::path& path, const CheckpointSides& sides = {});
/// The parts of a single `.safetensors` checkpoint.
ModelFiles find_checkpoint_files(const std::filesystem::path& path, const CheckpointSides& sides);

/// Family, defaults and size from the configurations alone.
ModelDescription describe(const ModelFiles& files, std::string name);

}  // namespace waggle::pipeline

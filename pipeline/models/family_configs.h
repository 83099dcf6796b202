// The configurations of the published model families, for checkpoints that carry none.
#pragma once

#include <string>
#include <vector>

#include "pipeline/models/config.h"
#include "pipeline/weights/single_file.h"

namespace waggle::pipeline {

struct FamilyConfigs {
  std::string class_name;
  Config unet, vae;
  std::vector<Config> text_encoders;
  std::string scheduler_json;
  bool force_zeros_for_empty_prompt = false;
};

/// `kind`: with its hints; open points are taken as for the first published model of the family.
/// **Source**: the config.json files that the publishers ship (CompVis SD 1.x, Stability AI SD 2.1, SDXL base
/// 1.0, SD Turbo and SDXL Turbo).
FamilyConfigs family_configs(const CheckpointKind& kind);

}  // namespace waggle::pipeline

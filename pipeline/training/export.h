// The trained model as a diffusers folder in fp16: what ships.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

#include "pipeline/training/byte_pairs.h"

namespace waggle::training {

using Weights = std::map<std::string, at::Tensor>;

struct TrainedParts {
  Weights text_encoder, unet, vae;
  double scaling_factor = 1;
  BytePairs words;
};

/// Writes model_index.json and one folder per part. What lies there is replaced file by file.
void export_model(const TrainedParts& parts, const std::filesystem::path& folder);

}  // namespace waggle::training

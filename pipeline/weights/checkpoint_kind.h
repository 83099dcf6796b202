// What a `.safetensors` checkpoint is, judged by the names and shapes of its tensors. Reads no tensor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pipeline/weights/safetensors_header.h"

namespace waggle::pipeline {

struct CheckpointKind {
  enum class Family { sd1, sd2, sdxl, sdxl_refiner } family = Family::sd1;
  std::int64_t in_channels = 4;  ///< 9: inpainting
  // What names and shapes leave open; see pipeline/models/checkpoint_hints.h.
  std::optional<bool> predicts_v = {};  ///< velocity instead of noise
  std::optional<bool> turbo = {};       ///< distilled into a few steps without guidance
  bool zero_terminal_snr = false;
};

/// `name`: of the file, for messages. Throws LoadError when it holds no Stable Diffusion model under the
/// original names.
CheckpointKind recognise(const TensorEntries& entries, const std::string& name);

}  // namespace waggle::pipeline

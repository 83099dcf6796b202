// One `.safetensors` checkpoint that holds a whole model under the original names.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "pipeline/weights/original_names.h"
#include "pipeline/weights/weight_source.h"

namespace waggle::pipeline {

/// What a checkpoint is, judged by the names and shapes of its tensors.
struct CheckpointKind {
  enum class Family { sd1, sd2, sdxl, sdxl_refiner } family = Family::sd1;
  std::int64_t in_channels = 4;  ///< 9: inpainting
  // What names and shapes leave open; see pipeline/models/checkpoint_hints.h.
  std::optional<bool> predicts_v = {};  ///< velocity instead of noise
  std::optional<bool> turbo = {};       ///< distilled into a few steps without guidance
  bool zero_terminal_snr = false;
};

/// Throws LoadError when the file holds no Stable Diffusion model under the original names.
CheckpointKind recognise(const SafetensorsFile& file);

/// The parts of a checkpoint, each a source of tensors under diffusers' names, whatever the file calls them.
enum class CheckpointPart {
  unet,
  vae,
  clip_text,
  open_clip_text,
  controlnet,
  as_named
};  ///< as_named: diffusers' own

class CheckpointWeights final : public WeightSource {
 public:
  /// `prefix`: where the part lies in the file, with the dot ("model.diffusion_model.").
  CheckpointWeights(SafetensorsFile file, CheckpointPart part, std::string prefix, LevelLayout layout);

  at::Tensor take(const std::string& name, at::IntArrayRef shape) override;
  [[nodiscard]] bool contains(const std::string& name) const override;
  /// Names below the prefix that nobody took.
  [[nodiscard]] std::vector<std::string> unused() const override;
  [[nodiscard]] std::int64_t elements() const override { return elements_below(file_, prefix_); }

 private:
  [[nodiscard]] std::optional<OriginalName> translate(const std::string& name) const;

  SafetensorsFile file_;
  CheckpointPart part_;
  std::string prefix_;
  LevelLayout layout_;
  std::set<std::string> taken_;
};

}  // namespace waggle::pipeline

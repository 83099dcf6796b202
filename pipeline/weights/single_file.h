// One `.safetensors` checkpoint that holds a whole model under the original names.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "pipeline/weights/checkpoint_kind.h"
#include "pipeline/weights/original_names.h"
#include "pipeline/weights/weight_source.h"

namespace waggle::pipeline {

/// What an open file is; see checkpoint_kind.h.
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
  void will_read() const override { file_.will_read(prefix_); }

 private:
  [[nodiscard]] std::optional<OriginalName> translate(const std::string& name) const;

  SafetensorsFile file_;
  CheckpointPart part_;
  std::string prefix_;
  LevelLayout layout_;
  std::set<std::string> taken_;
};

/// Opens the file anew at each call, since a mapping that outlived the loading would count as memory in use.
/// The call throws LoadError.
std::function<std::unique_ptr<WeightSource>()> opening(std::filesystem::path file, CheckpointPart part,
                                                       std::string prefix, LevelLayout layout);

}  // namespace waggle::pipeline

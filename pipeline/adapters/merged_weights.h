// A model's tensors with LoRAs added in as they are taken.
//
// Nothing is ever taken out again: the files of the base stay as they are, and a model with another set of
// LoRAs is built from them anew. So a set gives the same bits whatever was rendered before it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pipeline/adapters/lora_file.h"
#include "pipeline/models/model_files.h"
#include "pipeline/weights/original_names.h"

namespace waggle::pipeline {

struct StackedLora {
  std::shared_ptr<const LoraFile> file;
  double strength = 1.0;
};

/// A LoRA that does not fit the model.
class LoraError : public LoadError {
 public:
  LoraError(std::size_t place, const std::string& what) : LoadError(what), place_(place) {}
  [[nodiscard]] std::size_t place() const { return place_; }  ///< in the stack

 private:
  std::size_t place_;
};

/// LoRAs that are added to one model, and which of their layers found their weight. Not thread-safe.
class LoraStack {
 public:
  explicit LoraStack(std::vector<StackedLora> loras) : loras_(std::move(loras)), used_(loras_.size()) {}

  /// W + sum of strength * alpha / rank * product, in fp32; the very same tensor where no LoRA has anything
  /// to add. `spellings`: the names under which the layer may stand in a file. Throws LoraError.
  at::Tensor merge(const at::Tensor& weight, AdapterPart part, const std::vector<std::string>& spellings);

  /// Layers of the LoRA that no weight asked for, with their part: "unet/down_blocks_0_...".
  [[nodiscard]] std::vector<std::string> unmatched(std::size_t place) const;
  [[nodiscard]] const std::vector<StackedLora>& loras() const { return loras_; }

 private:
  std::vector<StackedLora> loras_;
  std::vector<std::set<const LoraLayer*>> used_;
};

class MergedWeights final : public WeightSource {
 public:
  /// `layout`: of the UNet, whose layers may be spelled as the original checkpoints do; unused for others.
  MergedWeights(std::unique_ptr<WeightSource> base, AdapterPart part, LevelLayout layout,
                std::shared_ptr<LoraStack> loras);

  at::Tensor take(const std::string& name, at::IntArrayRef shape) override;
  [[nodiscard]] bool contains(const std::string& name) const override { return base_->contains(name); }
  [[nodiscard]] std::vector<std::string> unused() const override { return base_->unused(); }
  [[nodiscard]] std::int64_t elements() const override { return base_->elements(); }
  void will_read() const override { base_->will_read(); }

 private:
  std::unique_ptr<WeightSource> base_;
  AdapterPart part_;
  LevelLayout layout_;
  std::shared_ptr<LoraStack> loras_;
};

/// The files of a model, its text encoders and UNet seen through the stack.
ModelFiles with_loras(ModelFiles files, const std::shared_ptr<LoraStack>& loras);

}  // namespace waggle::pipeline

// A LoRA file: which layers it changes, and by what.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/adapters/lora_layer.h"

namespace waggle::pipeline {

class LoraFile {
 public:
  using Place = std::pair<AdapterPart, std::string>;  ///< part and layer, see LoraName

  /// Maps the file and reads its names. Throws LoadError naming file and tensor: no safetensors file, half a
  /// product, an adapter of a kind that is not supported, no adapter at all.
  explicit LoraFile(const std::filesystem::path& path);

  [[nodiscard]] const LoraLayer* find(AdapterPart part, const std::string& layer) const;
  [[nodiscard]] const std::map<Place, LoraLayer>& layers() const { return layers_; }
  /// Tensors whose names say nothing to us, in order.
  [[nodiscard]] const std::vector<std::string>& unknown() const { return unknown_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;  ///< of the file, without its folder
  std::map<Place, LoraLayer> layers_;
  std::vector<std::string> unknown_;
};

}  // namespace waggle::pipeline

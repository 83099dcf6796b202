// LoRA files made by the tests, in a folder that goes away with them.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace waggle::adapters {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

class LoraFolder {
 public:
  LoraFolder();
  ~LoraFolder();
  LoraFolder(const LoraFolder&) = delete;
  LoraFolder& operator=(const LoraFolder&) = delete;

  /// Writes a safetensors file and answers with its path.
  std::filesystem::path write(const std::string& name, const NamedTensors& tensors) const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Random numbers that are the same for the same seed; about 0.1 large.
at::Tensor noise(std::uint64_t seed, at::IntArrayRef shape);

/// A kohya file for the small SD 1.5 of the tree: rank 2, alpha 1, one attention of the UNet, one of the text
/// encoder.
NamedTensors small_lora(std::uint64_t seed);

}  // namespace waggle::adapters

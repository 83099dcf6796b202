// A file of tensors in the safetensors format: mapped, not read. What its header says is checked by
// safetensors_header.h before any of it is believed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "pipeline/weights/safetensors_header.h"
#include "schemas/result.h"

namespace waggle::pipeline {

/// One mapped file. Copies share the mapping, and so does every tensor taken from it.
class SafetensorsFile {
 public:
  /// **Errors**: model_load_failed: cannot be opened or mapped, and what parse_safetensors_header refuses.
  static Result<SafetensorsFile> open(const std::filesystem::path& path);

  [[nodiscard]] const TensorEntries& entries() const { return *entries_; }
  [[nodiscard]] bool contains(std::string_view name) const { return entries_->find(name) != entries_->end(); }
  /// The tensor over the mapped bytes: no copy, read-only, valid as long as the tensor lives. Throws
  /// std::out_of_range.
  [[nodiscard]] at::Tensor tensor(std::string_view name) const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::uint64_t bytes() const;
  /// Asks the system to read ahead what the tensors take whose names begin so.
  void will_read(std::string_view prefix = "") const;

 private:
  struct Mapping;
  SafetensorsFile() = default;
  std::filesystem::path path_;
  std::shared_ptr<const Mapping> mapping_;
  std::shared_ptr<const TensorEntries> entries_;
};

}  // namespace waggle::pipeline

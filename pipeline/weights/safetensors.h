// The safetensors file format: 8 bytes of header length (little endian), a JSON header, the tensors' bytes.
//
// The file is mapped, not read. Everything in the header is hostile until checked: lengths, offsets, shapes,
// overlaps and holes. Format: https://github.com/huggingface/safetensors#format
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "schemas/result.h"

namespace waggle::pipeline {

/// What the header says of one tensor.
struct TensorEntry {
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes from the start of the file
};

/// One mapped file. Copies share the mapping, and so does every tensor taken from it.
class SafetensorsFile {
 public:
  /// **Errors**: model_load_failed naming the file and, where one is at fault, the tensor and its offset: too
  /// short, header longer than the file or than 32 MiB, not JSON, unknown dtype, negative or overflowing
  /// shape, offsets out of range, overlapping or leaving holes, bytes that do not fit shape and dtype.
  static Result<SafetensorsFile> open(const std::filesystem::path& path);

  [[nodiscard]] const std::map<std::string, TensorEntry, std::less<>>& entries() const { return *entries_; }
  [[nodiscard]] bool contains(std::string_view name) const { return entries_->find(name) != entries_->end(); }
  /// The tensor over the mapped bytes: no copy, read-only, valid as long as the tensor lives. Throws
  /// std::out_of_range.
  [[nodiscard]] at::Tensor tensor(std::string_view name) const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Mapping;
  SafetensorsFile() = default;
  std::filesystem::path path_;
  std::shared_ptr<const Mapping> mapping_;
  std::shared_ptr<const std::map<std::string, TensorEntry, std::less<>>> entries_;
};

}  // namespace waggle::pipeline

// A file of weights as one machine multiplies them, mapped where it lies.
//
// Format, version 1, never renumber: "wagglew1"; the length of a table, 8 bytes, little endian; its BLAKE2b
// digest in 64 digits; the table, JSON: {"key", "bytes" of the weights, "weights": [[name, layout, dtype,
// sizes, offset]]}; then the weights, each at a multiple of 64. Only the table has a checksum: a file is
// written whole, and comes to its name by being renamed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pipeline/ops/weight.h"

namespace waggle::pipeline {

class PackedFile {
 public:
  using Name = std::pair<std::string, std::string>;  ///< of a weight, of its layout

  /// Nothing when the file is missing, truncated, broken or has another key; `why` says which, empty when it
  /// is missing.
  static std::optional<PackedFile> open(const std::filesystem::path& path, std::string_view key,
                                        std::string& why);

  /// Over the mapped bytes, valid as long as the tensor lives; undefined where the file has no such weight.
  [[nodiscard]] at::Tensor find(const std::string& weight, const ops::WeightForm& form) const;
  /// Waits until all of it is in memory, where the system can be asked for that.
  void read() const;

 private:
  struct Entry {
    at::ScalarType type;
    std::vector<std::int64_t> sizes;
    std::uint64_t offset = 0;
  };
  struct Mapping;
  std::shared_ptr<const Mapping> mapping_;
  std::map<Name, Entry> entries_;
};

struct PackedWeight {
  std::string weight, layout;
  at::Tensor values;  ///< contiguous, on the CPU
};
/// What the file will take.
std::int64_t packed_file_bytes(const std::vector<PackedWeight>& weights, std::string_view key);
/// Writes beside `path` and renames, so that others see the whole file or none. Throws std::runtime_error.
void write_packed_file(const std::filesystem::path& path, std::string_view key,
                       const std::vector<PackedWeight>& weights);

}  // namespace waggle::pipeline

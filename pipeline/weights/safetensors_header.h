// The header of a safetensors file: 8 bytes of length (little endian), then JSON that says where each tensor
// lies. Bytes in, places out: no tensors and no files here; those are safetensors.h's.
//
// Everything in a header is hostile until checked: lengths, offsets, shapes, overlaps and holes.
// Format: https://github.com/huggingface/safetensors#format
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace waggle::pipeline {

/// The types that the format stores, as it calls them.
enum class StoredType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };
std::size_t bytes_of(StoredType type) noexcept;

/// What the header says of one tensor.
struct TensorEntry {
  StoredType type = StoredType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes from the start of the file
};
using TensorEntries = std::map<std::string, TensorEntry, std::less<>>;

/// `file`: all of its bytes; `name`: how messages call it.
/// **Errors**: model_load_failed naming the file and, where one is at fault, the tensor and its offset: too
/// short, header longer than the file or than 32 MiB, not JSON, unknown dtype, negative or overflowing shape,
/// offsets out of range, overlapping or leaving holes, bytes that do not fit shape and dtype.
Result<TensorEntries> parse_safetensors_header(std::string_view file, const std::string& name);

}  // namespace waggle::pipeline

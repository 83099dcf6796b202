// Writing the safetensors file format; reading is pipeline/weights/safetensors.h.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

namespace waggle::pipeline {

/// Writes the tensors (fp32, fp16, bf16, int64; on the CPU) under a name beside `file`, flushes them to the
/// disk and renames: a reader, or a crash, sees the old file or the whole new one. Throws std::runtime_error
/// naming the file.
void write_safetensors(const std::filesystem::path& file, const std::map<std::string, at::Tensor>& tensors);

}  // namespace waggle::pipeline

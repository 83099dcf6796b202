// Which files hold the tensors of one part of a diffusers folder. Reads an index, never a tensor.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace waggle::pipeline {

/// `<stem>.safetensors`,
/// `<stem>.safetensors.index.json` with its shards, or `<stem>.fp16.safetensors`. Throws LoadError listing
/// what was looked for, or naming the fault of the index.
std::vector<std::filesystem::path> weight_files(const std::filesystem::path& dir, const std::string& stem);

/// File names of an index ({"weight_map": {tensor: file}}), in order and each once. `name`: how messages call
/// it. Throws LoadError: no such object, or a file that lies outside the index's folder.
std::vector<std::string> shards_of_index(std::string_view json, const std::string& name);

}  // namespace waggle::pipeline

// Looking for whole files and indices.
#include "pipeline/weights/weight_files.h"

#include <fstream>
#include <iterator>
#include <set>

#include <nlohmann/json.hpp>

#include "pipeline/weights/load_error.h"
#include "pipeline/weights/shallow_json.h"

namespace waggle::pipeline {
namespace {

constexpr std::uintmax_t kMaxIndexBytes = 32u << 20;

std::vector<std::filesystem::path> shards(const std::filesystem::path& dir,
                                          const std::filesystem::path& index) {
  const std::string name = index.filename().string();
  std::error_code error;
  const auto bytes = std::filesystem::file_size(index, error);
  if (error || bytes > kMaxIndexBytes) throw LoadError(name + ": cannot be read, or is larger than 32 MiB");
  std::ifstream in(index, std::ios::binary);
  const std::string json{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::filesystem::path> files;
  for (const std::string& shard : shards_of_index(json, name)) files.push_back(dir / shard);
  return files;
}

}  // namespace

std::vector<std::string> shards_of_index(std::string_view text, const std::string& index) {
  const auto json = parse_shallow_json(text);
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
    throw LoadError(index + ": has no weight_map");
  std::set<std::string> names;
  for (const auto& [tensor, file] : json["weight_map"].items()) {
    if (!file.is_string()) throw LoadError(index + ": weight_map/" + tensor.substr(0, 200) + " is no string");
    const auto& name = file.get_ref<const std::string&>();
    if (name != std::filesystem::path(name).filename() || name.empty() || name == "." || name == "..")
      throw LoadError(index + ": names a file outside its folder");
    names.insert(name);
  }
  return {names.begin(), names.end()};
}

std::vector<std::filesystem::path> weight_files(const std::filesystem::path& dir, const std::string& stem) {
  for (const char* variant : {"", ".fp16"}) {
    const auto whole = dir / (stem + variant + ".safetensors");
    if (std::filesystem::exists(whole)) return {whole};
    // Both spellings occur: "model.safetensors.index.fp16.json" (diffusers) and
    // "model.fp16.safetensors.index.json".
    for (const auto& index : {dir / (stem + variant + ".safetensors.index.json"),
                              dir / (stem + ".safetensors.index" + variant + ".json")})
      if (std::filesystem::exists(index)) return shards(dir, index);
  }
  throw LoadError(dir.filename().string() + ": has no " + stem +
                  ".safetensors, no fp16 variant and no shard index");
}

}  // namespace waggle::pipeline

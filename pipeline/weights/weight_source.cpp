// Tensors out of safetensors files, by name and expected shape.
#include "pipeline/weights/weight_source.h"

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

namespace waggle::pipeline {
namespace {

/// File names of an index ({"weight_map": {tensor: file}}), each a plain name inside `dir`.
std::vector<std::filesystem::path> shards(const std::filesystem::path& dir,
                                          const std::filesystem::path& index) {
  std::ifstream in(index, std::ios::binary);
  const auto json = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
    throw LoadError(index.filename().string() + ": has no weight_map");
  std::set<std::string> names;
  for (const auto& [tensor, file] : json["weight_map"].items()) {
    if (!file.is_string())
      throw LoadError(index.filename().string() + ": weight_map/" + tensor + " is no string");
    const auto name = file.get<std::string>();
    if (name != std::filesystem::path(name).filename())
      throw LoadError(index.filename().string() + ": names a file outside its folder");
    names.insert(name);
  }
  std::vector<std::filesystem::path> files;
  for (const auto& name : names) files.push_back(dir / name);
  return files;
}

}  // namespace

std::string shape_text(at::IntArrayRef shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

std::int64_t elements_below(const SafetensorsFile& file, std::string_view prefix) {
  std::int64_t count = 0;
  for (const auto& [name, entry] : file.entries())
    if (name.starts_with(prefix))
      count += static_cast<std::int64_t>((entry.end - entry.begin) / at::elementSize(entry.type));
  return count;
}

FileWeights::FileWeights(const std::vector<std::filesystem::path>& files) {
  for (const auto& path : files) {
    auto file = SafetensorsFile::open(path);
    if (!file) throw LoadError(file.error().message);
    for (const auto& [name, entry] : file->entries())
      if (contains(name))
        throw LoadError(path.filename().string() + ": tensor '" + name + "' is in another shard too");
    files_.push_back(std::move(*file));
  }
}

std::int64_t FileWeights::elements() const {
  std::int64_t count = 0;
  for (const auto& file : files_) count += elements_below(file, "");
  return count;
}

bool FileWeights::contains(const std::string& name) const {
  for (const auto& file : files_)
    if (file.contains(name)) return true;
  return false;
}

at::Tensor FileWeights::take(const std::string& name, at::IntArrayRef shape) {
  for (const auto& file : files_) {
    if (!file.contains(name)) continue;
    at::Tensor tensor = file.tensor(name);
    if (tensor.sizes() != shape)
      throw LoadError(file.path().filename().string() + ": tensor '" + name + "' has shape " +
                      shape_text(tensor.sizes()) + ", the configuration needs " + shape_text(shape));
    taken_.insert(name);
    return tensor;
  }
  const std::string where = files_.empty() ? "no file" : files_.front().path().filename().string();
  throw LoadError(where + ": tensor '" + name + "' " + shape_text(shape) + " is missing");
}

std::vector<std::string> FileWeights::unused() const {
  std::vector<std::string> names;
  for (const auto& file : files_)
    for (const auto& [name, entry] : file.entries())
      if (!taken_.contains(name)) names.push_back(name);
  return names;
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

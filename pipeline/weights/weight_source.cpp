// Tensors out of safetensors files, by name and expected shape.
#include "pipeline/weights/weight_source.h"

#include <sstream>

namespace waggle::pipeline {
std::string shape_text(at::IntArrayRef shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

std::int64_t elements_below(const SafetensorsFile& file, std::string_view prefix) {
  std::int64_t count = 0;
  for (const auto& [name, entry] : file.entries())
    if (name.starts_with(prefix))
      count += static_cast<std::int64_t>((entry.end - entry.begin) / bytes_of(entry.type));
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

void FileWeights::will_read() const {
  for (const auto& file : files_) file.will_read();
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

}  // namespace waggle::pipeline

// Looking names up in a folder.
#include "pipeline/adapters/adapter_folder.h"

#include <algorithm>

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;

/// A name that stays inside the folder, whoever checked it before.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name.find("..") == std::string_view::npos &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

}  // namespace

std::optional<fs::path> AdapterFolder::file(std::string_view name, std::string_view ending) const {
  if (dir_.empty() || !is_plain_name(name)) return std::nullopt;
  std::error_code error;
  const fs::path as_named = dir_ / name, with_ending = dir_ / (std::string(name) + std::string(ending));
  if (name.ends_with(ending) && fs::is_regular_file(as_named, error)) return as_named;
  if (fs::is_regular_file(with_ending, error)) return with_ending;
  return std::nullopt;
}

std::optional<fs::path> AdapterFolder::folder(std::string_view name) const {
  std::error_code error;
  if (dir_.empty() || !is_plain_name(name) || !fs::is_directory(dir_ / name, error)) return std::nullopt;
  return dir_ / name;
}

std::vector<std::string> AdapterFolder::files(std::string_view ending) const {
  std::vector<std::string> names;
  if (dir_.empty()) return names;
  std::error_code error;
  for (fs::directory_iterator it(dir_, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    std::string name = it->path().filename().string();
    if (!name.ends_with(ending) || name.size() == ending.size() || !it->is_regular_file(ignored)) continue;
    name.resize(name.size() - ending.size());
    names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> AdapterFolder::folders_with(std::string_view file) const {
  std::vector<std::string> names;
  if (dir_.empty()) return names;
  std::error_code error, ignored;
  for (fs::directory_iterator it(dir_, error), end; !error && it != end; it.increment(error))
    if (fs::is_regular_file(it->path() / file, ignored)) names.push_back(it->path().filename().string());
  std::ranges::sort(names);
  return names;
}

}  // namespace waggle::pipeline

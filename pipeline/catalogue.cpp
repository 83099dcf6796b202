// Scanning a models directory.
#include "pipeline/catalogue.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include <nlohmann/json.hpp>

#include "pipeline/adapters/adapter_folder.h"
#include "pipeline/weights/shallow_json.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;

bool looks_like_model(const fs::directory_entry& entry) {
  if (entry.is_directory()) return fs::exists(entry.path() / "model_index.json");
  return entry.is_regular_file() && entry.path().extension() == ".safetensors";
}

std::string model_name(const fs::path& path) {
  // "dir/" has an empty last component; a checkpoint is called without its extension.
  const fs::path clean = path.filename().empty() ? path.parent_path() : path;
  return clean.extension() == ".safetensors" ? clean.stem().string() : clean.filename().string();
}

}  // namespace

Result<Catalogue> Catalogue::scan(const fs::path& models_dir, const fs::path& tokenizer_dir,
                                  const std::string& family) {
  std::error_code error;
  std::vector<fs::directory_entry> found;
  for (fs::directory_iterator it(models_dir, error), end; !error && it != end; it.increment(error))
    if (looks_like_model(*it)) found.push_back(*it);
  if (error) return Error{ErrorCode::io_error, "the models directory cannot be read: " + error.message()};
  std::ranges::sort(found);

  Catalogue catalogue;
  for (const auto& entry : found) {
    auto model = describe_model(entry.path(), model_name(entry.path()), tokenizer_dir, family);
    if (model)
      catalogue.entries_.push_back({std::move(*model), {}});
    else
      catalogue.skipped_.push_back(entry.path().filename().string() + ": " + model.error().message);
  }

  std::ifstream in(models_dir / "models.json", std::ios::binary);
  if (!in) return catalogue;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto json = parse_shallow_json(text);
  const auto aliases = json.is_object() ? json.find("aliases") : json.end();
  if (!json.is_object() || (aliases != json.end() && !aliases->is_object())) {
    catalogue.skipped_.push_back("models.json: must be {\"aliases\": {alias: name}}");
    return catalogue;
  }
  if (aliases == json.end()) return catalogue;
  for (const auto& [alias, name] : aliases->items()) {
    const auto entry = std::ranges::find_if(catalogue.entries_, [&](const Entry& e) {
      return name.is_string() && e.model.name == name.get<std::string>();
    });
    if (entry == catalogue.entries_.end())
      catalogue.skipped_.push_back("models.json: alias '" + alias + "' names no model");
    else
      entry->aliases.push_back(alias);
  }
  return catalogue;
}

Result<Catalogue> Catalogue::single(const fs::path& path, const fs::path& tokenizer_dir,
                                    const std::string& family) {
  auto model = describe_model(path, model_name(path), tokenizer_dir, family);
  if (!model) return std::move(model).error();
  Catalogue catalogue;
  catalogue.entries_.push_back({std::move(*model), {}});
  return catalogue;
}

void use_folders_beside(const fs::path& models_dir, Folders& folders) {
  const std::pair<const char*, fs::path*> beside[] = {
      {"loras", &folders.loras},           {"controlnet", &folders.controlnets},
      {"embeddings", &folders.embeddings}, {"vae", &folders.vaes},
      {"taesd", &folders.taesd},           {"tokenizer", &folders.tokenizer}};
  std::error_code ignored;
  for (const auto& [name, folder] : beside)
    if (folder->empty() && fs::is_directory(models_dir / name, ignored)) *folder = models_dir / name;
}

AdapterNames adapter_names(const Folders& folders) {
  const auto files_and_folders = [](const fs::path& dir) {
    const AdapterFolder folder(dir);
    std::vector<std::string> names = folder.files(), inner = folder.folders_with("config.json");
    names.insert(names.end(), inner.begin(), inner.end());
    std::ranges::sort(names);
    return names;
  };
  return {AdapterFolder(folders.loras).files(), files_and_folders(folders.controlnets),
          AdapterFolder(folders.embeddings).files(), files_and_folders(folders.vaes)};
}

const Catalogue::Entry* Catalogue::find(std::string_view name) const {
  for (const auto& entry : entries_)
    if (entry.model.name == name || std::ranges::find(entry.aliases, name) != entry.aliases.end())
      return &entry;
  return nullptr;
}

}  // namespace waggle::pipeline

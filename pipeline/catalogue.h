// Which models a machine has: the folders and checkpoints under a models directory, plus the aliases of its
// optional models.json ({"aliases": {"sd15": "stable-diffusion-v1-5"}}). Reads configurations only, never
// weights.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/pipeline.h"

namespace waggle::pipeline {

class Catalogue {
 public:
  struct Entry {
    ModelDescription model;
    std::vector<std::string> aliases;
  };

  /// A directory that cannot be read is an error; an entry that is not a model is skipped with a line in
  /// `skipped`.
  /// `family`: see describe_model.
  static Result<Catalogue> scan(const std::filesystem::path& models_dir,
                                const std::filesystem::path& tokenizer_dir = {},
                                const std::string& family = {});
  /// One model by its path, named after its folder or file.
  static Result<Catalogue> single(const std::filesystem::path& model,
                                  const std::filesystem::path& tokenizer_dir = {},
                                  const std::string& family = {});

  /// By name or alias.
  [[nodiscard]] const Entry* find(std::string_view name) const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  std::vector<Entry> entries_;
  std::vector<std::string> skipped_;
};

/// Lets `folders` be those beside the models: `loras`, `controlnet`, `embeddings`, `vae`, `taesd` and
/// `tokenizer` inside `models_dir`, where these exist and there is no other folder for them.
void use_folders_beside(const std::filesystem::path& models_dir, Folders& folders);

/// The names that jobs may use for what the folders hold, in order.
struct AdapterNames {
  std::vector<std::string> loras, controlnets, embeddings, vaes;
};
AdapterNames adapter_names(const Folders& folders);

}  // namespace waggle::pipeline

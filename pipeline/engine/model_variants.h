// Models with LoRAs: built from the files of a loaded model, and kept beside the other models while there is
// room.
//
// A set of LoRAs is known by the content of its files and by the strengths: the order in which a job lists
// them and the names say nothing, and a file that was replaced is another one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline/adapters/adapter_folder.h"
#include "pipeline/engine/job.h"
#include "pipeline/engine/model_shelf.h"
#include "pipeline/weights/content_hashes.h"

namespace waggle::pipeline {

class ModelVariants {
 public:
  using Log = std::function<void(const std::string& line)>;

  /// `lora_dir`: where names are looked up; empty: nothing is found. `shelf`: keeps what is built here, and
  /// must outlive this.
  ModelVariants(std::filesystem::path lora_dir, ModelShelf& shelf, Log log,
                std::shared_ptr<ContentHashes> hashes = std::make_shared<ContentHashes>());

  /// The model with the LoRAs added; `base` itself when no strength is other than 0. Builds on the caller's
  /// thread; one call at a time.
  /// **Errors**: unknown_adapter with /loras/<i>/path: no such file in the folder; invalid_request with the
  /// same path: the file is broken or is for another model; out_of_memory.
  Result<std::shared_ptr<const LoadedModel>> get(const std::shared_ptr<const LoadedModel>& base,
                                                 const std::vector<Lora>& loras);
  /// Gives up what was made from `base`. Thread-safe.
  void forget(const std::shared_ptr<const LoadedModel>& base);

  [[nodiscard]] std::size_t kept() const;  ///< how many are in memory

 private:
  struct Ingredient {
    std::filesystem::path file;
    std::string content;  // hash
    double strength = 1.0;
    std::size_t place = 0;  // in the job's list

    [[nodiscard]] bool same(const Ingredient& other) const {
      return content == other.content && strength == other.strength;
    }
  };
  using Recipe = std::vector<Ingredient>;
  struct Variant {
    std::weak_ptr<const LoadedModel> base;  // weak: an unloaded model is not kept by what was made from it
    Recipe recipe;
    std::weak_ptr<const LoadedModel> model;
  };

  [[nodiscard]] Result<Recipe> recipe_of(const std::vector<Lora>& loras) const;
  [[nodiscard]] std::shared_ptr<const LoadedModel> find(const std::shared_ptr<const LoadedModel>& base,
                                                        const Recipe& recipe);
  [[nodiscard]] std::shared_ptr<const LoadedModel> build(const LoadedModel& base, const Recipe& recipe) const;

  AdapterFolder folder_;
  ModelShelf& shelf_;
  Log log_;
  std::shared_ptr<ContentHashes> hashes_;
  mutable std::mutex mutex_;
  std::vector<Variant> known_;
};

}  // namespace waggle::pipeline

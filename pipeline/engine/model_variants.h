// Models with LoRAs: built from the files of a loaded model, kept while they fit, the longest unused given up
// first.
//
// A set of LoRAs is known by the files' sizes and times and by the strengths, so the order in which a job
// lists them says nothing, and a file that was replaced is another one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline/engine/job.h"

namespace waggle::pipeline {

class ModelVariants {
 public:
  using Log = std::function<void(const std::string& line)>;

  /// `lora_dir`: where names are looked up; empty: nothing is found. `budget_bytes`: of the variants that are
  /// kept beside the one that was asked for last; those that jobs hold live on whatever it is.
  ModelVariants(std::filesystem::path lora_dir, std::int64_t budget_bytes, Log log);

  /// The model with the LoRAs added; `base` itself when no strength is other than 0. Builds on the caller's
  /// thread; one call at a time.
  /// **Errors**: unknown_adapter with /loras/<i>/path: no such file in the folder; invalid_request with the
  /// same path: the file is broken or is for another model; out_of_memory.
  Result<std::shared_ptr<const LoadedModel>> get(const std::shared_ptr<const LoadedModel>& base,
                                                 const std::vector<Lora>& loras);
  /// Gives up what was made from `base`. Thread-safe.
  void forget(const std::shared_ptr<const LoadedModel>& base);

  [[nodiscard]] std::size_t kept() const;

 private:
  struct Ingredient {
    std::filesystem::path file;
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type modified;
    double strength = 1.0;
    std::size_t place = 0;  // in the job's list

    [[nodiscard]] bool same(const Ingredient& other) const {
      return file == other.file && bytes == other.bytes && modified == other.modified &&
             strength == other.strength;
    }
  };
  using Recipe = std::vector<Ingredient>;
  struct Variant {
    std::weak_ptr<const LoadedModel> base;  // weak: an unloaded model is not kept by what was made from it
    Recipe recipe;
    std::shared_ptr<const LoadedModel> model;
  };

  [[nodiscard]] Result<Recipe> recipe_of(const std::vector<Lora>& loras) const;
  [[nodiscard]] std::shared_ptr<const LoadedModel> find(const std::shared_ptr<const LoadedModel>& base,
                                                        const Recipe& recipe);
  [[nodiscard]] std::shared_ptr<const LoadedModel> build(const LoadedModel& base, const Recipe& recipe) const;
  void make_room(std::int64_t bytes);

  std::filesystem::path lora_dir_;
  std::int64_t budget_bytes_;
  Log log_;
  mutable std::mutex mutex_;
  std::list<Variant> kept_;  // last used first
};

}  // namespace waggle::pipeline

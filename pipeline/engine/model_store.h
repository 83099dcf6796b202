// Models by name: loaded from their files, given up when memory is wanted for others, and loaded again when a
// job asks for them.
//
// Loading happens on the caller's thread, one model at a time, while running batches go on.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "pipeline/engine/job.h"
#include "pipeline/engine/model_shelf.h"

namespace waggle::pipeline {

class ModelStore {
 public:
  using Model = std::shared_ptr<const LoadedModel>;
  /// Builds the model from its files. Throws.
  using Build = std::function<Model(const ModelFiles& files, const std::string& name)>;
  /// Where the parts lie. Throws LoadError.
  using Find = std::function<ModelFiles(const std::filesystem::path& path)>;
  /// Bytes that the weights will take. Throws LoadError.
  using Weigh = std::function<std::int64_t(const ModelFiles& files)>;
  struct Maker {
    Find find;
    Weigh weigh;
    Build build;
  };
  using Log = std::function<void(const std::string& line)>;

  /// `most_bytes`: a single model of more is refused.
  ModelStore(ModelShelf& shelf, std::int64_t most_bytes, Maker maker, Log log);

  /// Makes the name known, and the model ready. A name that is known already stays what it is.
  /// **Errors**: model_load_failed, out_of_memory with both numbers.
  Result<Model> load(const std::filesystem::path& path, const std::string& name);
  /// The model if it is in memory; it counts as used.
  [[nodiscard]] Model find(const std::string& name);
  /// The model, loaded again if it was given up. **Errors**: unknown_model, and those of load().
  Result<Model> get(const std::string& name);
  /// Whether get() may succeed.
  [[nodiscard]] bool knows(const std::string& name) const;
  /// 0: not in memory. Does not count as a use.
  [[nodiscard]] std::int64_t bytes(const std::string& name) const;
  /// Gives the model up and its name with it; whoever holds it may go on. Returns what was in memory.
  Model forget(const std::string& name);

 private:
  struct Known {
    std::filesystem::path path;
    std::weak_ptr<const LoadedModel> model;
  };
  Result<Model> make(const std::filesystem::path& path, const std::string& name);

  ModelShelf& shelf_;
  const std::int64_t most_bytes_;
  const Maker maker_;
  const Log log_;
  std::mutex load_mutex_;  // one load at a time
  mutable std::mutex mutex_;
  std::map<std::string, Known, std::less<>> known_;
};

/// What the weights of these files take in memory under these operations.
std::int64_t weight_bytes(const ModelFiles& files, const ModelOperations& operations);

}  // namespace waggle::pipeline

// A folder of weights as this machine multiplies them, each known by the content of the files that it was
// made of, so that the next load maps them and makes nothing.
//
// Whatever is wrong with the folder costs time, never a model: what cannot be read is made anew, what cannot
// be written is not kept. Processes share a folder without knowing of each other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/ops/weight.h"
#include "pipeline/weights/content_hashes.h"
#include "pipeline/weights/packed_file.h"

namespace waggle::pipeline {

class WeightCache;

/// One part of a model: of the file that the cache has, as far as it has it. Not thread-safe.
class CachedWeights final : public ops::WeightKeeper {
 public:
  CachedWeights(WeightCache& cache, std::string key, std::optional<PackedFile> file)
      : cache_(cache), key_(std::move(key)), file_(std::move(file)) {}

  at::Tensor keep(const std::string& weight, const ops::WeightForm& form,
                  const ops::FillWeight& fill) override;
  /// Whether there is a file, which then most likely has all.
  [[nodiscard]] bool found() const { return file_.has_value(); }
  /// The part is built. Writes all of its weights when some had to be made.
  void loaded();

 private:
  WeightCache& cache_;
  std::string key_;
  std::optional<PackedFile> file_;
  std::vector<PackedWeight> kept_;
  bool made_some_ = false;
};

/// Thread-safe.
class WeightCache {
 public:
  using Log = std::function<void(const std::string& line)>;
  struct Content {
    std::vector<std::filesystem::path> files;
    /// All else that decides what is made of them: the place in the files, shapes, operations, processor.
    std::string making;
  };

  /// Makes the folder when there is none. `limit_bytes`: of its files together; those that were unused for
  /// longest are removed beyond it.
  WeightCache(std::filesystem::path dir, std::int64_t limit_bytes, Log log);

  /// Null when a file of the content cannot be read.
  std::unique_ptr<CachedWeights> open(const Content& content);

 private:
  friend class CachedWeights;
  [[nodiscard]] std::filesystem::path path_of(const std::string& key) const;
  void write(const std::string& key, const std::vector<PackedWeight>& weights);
  void remove_oldest(const std::filesystem::path& but) const;
  void say(const std::string& line) const;

  std::filesystem::path dir_;
  std::int64_t limit_bytes_;
  Log log_;
  ContentHashes hashes_;
};

}  // namespace waggle::pipeline

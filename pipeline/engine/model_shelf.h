// The models that are kept in memory, the longest unused given up first when there are too many bytes of
// them.
//
// Knows neither names nor files: ModelStore and ModelVariants do, and find their models here again.
// Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

namespace waggle::pipeline {

struct LoadedModel;

class ModelShelf {
 public:
  using Model = std::shared_ptr<const LoadedModel>;

  /// `limit_bytes`: of all that is kept, whether with LoRAs or without. What somebody else holds stays
  /// whatever the limit says, and so does what was put last.
  explicit ModelShelf(std::int64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// Gives up models until so many bytes more would fit, as far as it may.
  void make_room(std::int64_t bytes);
  /// Keeps the model as the last used one, and makes room for it.
  void put(const Model& model);
  void drop(const Model& model);

  [[nodiscard]] std::int64_t bytes() const;
  [[nodiscard]] std::int64_t limit_bytes() const { return limit_bytes_; }
  [[nodiscard]] std::size_t size() const;

 private:
  using List = std::list<Model>;
  /// What has to go for so many bytes more; whoever asked destroys it outside the lock.
  [[nodiscard]] List evicted_for(std::int64_t bytes);
  [[nodiscard]] std::int64_t total() const;

  const std::int64_t limit_bytes_;
  mutable std::mutex mutex_;
  List kept_;  // last used first
};

}  // namespace waggle::pipeline

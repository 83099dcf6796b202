// The weights of one part while it is loaded: its files, and what the cache has of them.
#pragma once

#include <memory>

#include "pipeline/models/layers.h"
#include "pipeline/models/model_files.h"
#include "pipeline/weights/weight_cache.h"

namespace waggle::pipeline {

class PartWeights {
 public:
  /// `cache` null: none. Throws LoadError.
  PartWeights(const PartFiles& files, const ops::Operations& operations, WeightCache* cache);

  [[nodiscard]] Builder build(const ops::Operations& operations) const {
    return {*source_, operations, kept_.get()};
  }
  [[nodiscard]] const WeightSource& source() const { return *source_; }
  /// To be called when the part is built: what the cache did not have is written there.
  void loaded() const;

 private:
  std::unique_ptr<WeightSource> source_;
  std::unique_ptr<CachedWeights> kept_;
};

}  // namespace waggle::pipeline

// Means and variances of group normalisation that are taken once, over a sample of a picture, and then used
// for every tile of it.
//
// A tile that were normalised by its own moments would come out lighter, darker or noisier than its
// neighbour. Here all tiles share one set, so a pixel comes out the same whichever tile it lies in.
#pragma once

#include <cstddef>
#include <vector>

#include "pipeline/models/layers.h"

namespace waggle::pipeline {

/// One set of moments per normalisation, in the order in which a network runs them. Not thread-safe.
class SharedMoments {
 public:
  /// The run that is to come, and those after it, use what the first one recorded.
  void replay() { next_ = 0, recording_ = false; }

  /// In place of norm.then_silu(x). Sums are fp32.
  [[nodiscard]] at::Tensor then_silu(const GroupNorm& norm, const at::Tensor& x);

 private:
  struct Moments {
    at::Tensor mean, variance;  // [1, groups]
  };
  [[nodiscard]] static Moments take(const GroupNorm& norm, const at::Tensor& x);

  std::vector<Moments> moments_;
  std::size_t next_ = 0;
  bool recording_ = true;
};

}  // namespace waggle::pipeline

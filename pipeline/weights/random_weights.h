// Weights out of nothing, for benchmarks and tests at full size: the same name always gives the same tensor.
#pragma once

#include "pipeline/weights/weight_source.h"

namespace waggle::pipeline {

/// Normal with deviation 1/sqrt(fan-in) for matrices and kernels, near one for the weights of norms, near
/// zero for biases. Values are rounded to bf16, so that every precision starts from the same numbers. fp32
/// tensors.
class RandomWeights final : public WeightSource {
 public:
  at::Tensor take(const std::string& name, at::IntArrayRef shape) override;
  /// Whatever is asked for exists, but for alternatives under old names.
  [[nodiscard]] bool contains(const std::string& name) const override;
};

}  // namespace waggle::pipeline

// The tensors that are trained, by checkpoint name: what the models are built over, and what the optimiser
// walks through.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "pipeline/weights/weight_source.h"

namespace waggle::training {

/// Makes each tensor when a model first asks for it and hands out the same one from then on: a fp32 leaf that
/// wants gradients.
class Parameters final : public pipeline::WeightSource {
 public:
  explicit Parameters(std::uint64_t seed) : seed_(seed) {}

  /// **Randomness**: a tensor depends on seed and name alone. Matrices and kernels have deviation
  /// 1/sqrt(3 fan-in), norms are one, biases zero, and the last layer of each residual branch is zero, so
  /// that a deep model begins as a shallow one.
  at::Tensor take(const std::string& name, at::IntArrayRef shape) override;
  [[nodiscard]] bool contains(const std::string& name) const override { return !name.empty(); }

  [[nodiscard]] const std::map<std::string, at::Tensor>& tensors() const { return tensors_; }

 private:
  std::uint64_t seed_;
  std::map<std::string, at::Tensor> tensors_;
};

/// The tensors in order of name.
std::vector<at::Tensor> values(const std::map<std::string, at::Tensor>& tensors);

}  // namespace waggle::training

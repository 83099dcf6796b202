// The layers that models are put together from, and the builder that takes their weights by checkpoint name.
//
// A model is a struct of layers named as its checkpoint names them; `build / "down_blocks.0"` descends, and
// the leaf functions take the tensors with the shape that the configuration implies.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "pipeline/ops/ops.h"
#include "pipeline/weights/weight_source.h"

namespace waggle::pipeline {

struct Convolution {
  std::unique_ptr<ops::Convolution> impl;
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& residual = {}) const {
    return impl->forward(x, residual);
  }
};

struct Linear {
  std::unique_ptr<ops::Linear> impl;
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& residual = {}) const {
    return impl->forward(x, residual);
  }
};

struct GroupNorm {
  const ops::Operations* ops;
  ops::NormWeights weights;
  int groups;
  double eps;
  at::Tensor operator()(const at::Tensor& x) const { return ops->group_norm(x, weights, groups, eps, false); }
  [[nodiscard]] at::Tensor then_silu(const at::Tensor& x) const {
    return ops->group_norm(x, weights, groups, eps, true);
  }
};

struct LayerNorm {
  const ops::Operations* ops;
  ops::NormWeights weights;
  double eps;
  at::Tensor operator()(const at::Tensor& x) const { return ops->layer_norm(x, weights, eps); }
};

/// A place in the checkpoint's name space. Cheap to copy; valid while source and operations live.
class Builder {
 public:
  /// `keeper`: of what is made of the weights; null: nobody.
  Builder(WeightSource& source, const ops::Operations& ops, ops::WeightKeeper* keeper = nullptr,
          std::string prefix = "")
      : source_(&source), ops_(&ops), keeper_(keeper), prefix_(std::move(prefix)) {}

  Builder operator/(std::string_view name) const { return {*source_, *ops_, keeper_, path(name)}; }
  Builder operator/(int index) const { return *this / std::to_string(index); }

  [[nodiscard]] Convolution convolution(std::string_view name, std::int64_t in, std::int64_t out,
                                        int kernel = 3, int stride = 1, int padding = -1) const;
  /// 3x3, stride 1.
  [[nodiscard]] Convolution convolution_without_bias(std::string_view name, std::int64_t in,
                                                     std::int64_t out) const;
  [[nodiscard]] Linear linear(std::string_view name, std::int64_t in, std::int64_t out,
                              bool bias = true) const;
  /// With GEGLU behind it; the weight is [2 * out, in].
  [[nodiscard]] Linear geglu_linear(std::string_view name, std::int64_t in, std::int64_t out) const;
  /// A 1x1 convolution over positions, used as a linear layer: weight [out, in, 1, 1] or [out, in].
  [[nodiscard]] Linear pointwise(std::string_view name, std::int64_t in, std::int64_t out,
                                 bool stored_as_convolution) const;
  [[nodiscard]] GroupNorm group_norm(std::string_view name, std::int64_t channels, int groups,
                                     double eps) const;
  [[nodiscard]] LayerNorm layer_norm(std::string_view name, std::int64_t channels, double eps = 1e-5) const;
  [[nodiscard]] at::Tensor constant(std::string_view name, at::IntArrayRef shape) const;
  [[nodiscard]] bool contains(std::string_view name) const { return source_->contains(path(name)); }

  [[nodiscard]] const ops::Operations& ops() const { return *ops_; }

 private:
  [[nodiscard]] std::string path(std::string_view name) const {
    return prefix_.empty() ? std::string(name) : prefix_ + "." + std::string(name);
  }
  [[nodiscard]] ops::Weight take(std::string_view layer, std::string_view leaf, at::IntArrayRef shape) const;

  WeightSource* source_;
  const ops::Operations* ops_;
  ops::WeightKeeper* keeper_;
  std::string prefix_;
};

}  // namespace waggle::pipeline

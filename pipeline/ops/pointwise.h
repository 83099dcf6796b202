// A convolution of 1x1 as what it is in channels-last order: a linear layer over the cells.
#pragma once

#include <memory>
#include <utility>

#include <ATen/core/Tensor.h>

#include "pipeline/ops/ops.h"

namespace waggle::pipeline::ops {

class PointwiseConvolution final : public Convolution {
 public:
  explicit PointwiseConvolution(std::unique_ptr<Linear> over_cells) : over_cells_(std::move(over_cells)) {}

  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const override {
    const auto cells = [](const at::Tensor& map) {
      return map.defined() ? map.permute({0, 2, 3, 1}) : map;  // [B, h, w, C]
    };
    return over_cells_->forward(cells(x), cells(residual)).permute({0, 3, 1, 2});
  }

 private:
  std::unique_ptr<Linear> over_cells_;
};

inline bool is_pointwise(const Weight& weight, ConvolutionGeometry geometry) {
  return weight.size(2) == 1 && weight.size(3) == 1 && geometry.stride == 1 && geometry.padding == 0;
}

}  // namespace waggle::pipeline::ops

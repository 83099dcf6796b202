// Convolutions and linear layers through oneDNN's own primitives: weights packed once, residuals added as a
// post-op.
//
// libtorch's wrapper of the same library packs weights again at each call and has no fused sum.
#pragma once

#include <memory>

#include "pipeline/ops/ops.h"

namespace waggle::pipeline::ops {

/// Channels-last, in the dtype of the weight: bf16 or fp32. **Shape**: weight [out, in, k, k], bias [out] or
/// undefined.
/// **Threads**: forward() belongs to one thread at a time (primitives are made on first use of a shape).
std::unique_ptr<Convolution> onednn_convolution(const at::Tensor& weight, const at::Tensor& bias,
                                                ConvolutionGeometry geometry);

/// In the dtype of the weight: bf16 or fp32. **Shape**: weight [out, in], bias [out] or undefined.
std::unique_ptr<Linear> onednn_linear(const at::Tensor& weight, const at::Tensor& bias);

}  // namespace waggle::pipeline::ops

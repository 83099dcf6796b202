// Convolutions and linear layers through oneDNN's own primitives: weights packed once, residuals added as a
// post-op.
//
// libtorch's wrapper of the same library packs weights again at each call and has no fused sum.
#pragma once

#include <memory>
#include <string>

#include "pipeline/ops/ops.h"

namespace waggle::pipeline::ops {

/// Channels-last, in bf16 or fp32. **Shape**: weight [out, in, k, k], bias [out] or undefined. The weight is
/// packed here, for pictures of the usual sizes; a size that wants it otherwise packs it again.
/// **Threads**: forward() belongs to one thread at a time (primitives are made on first use of a shape).
std::unique_ptr<Convolution> onednn_convolution(const Weight& weight, const Weight& bias,
                                                ConvolutionGeometry geometry, at::ScalarType dtype);

/// The library's version and what it may use of the processor.
std::string onednn_layouts();

/// In bf16 or fp32. **Shape**: weight [out, in], bias [out] or undefined.
std::unique_ptr<Linear> onednn_linear(const Weight& weight, const Weight& bias, at::ScalarType dtype);

}  // namespace waggle::pipeline::ops

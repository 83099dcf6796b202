// Convolutions and linear layers over int8 weights through oneDNN, activations quantised at each call.
#pragma once

#include <memory>

#include "pipeline/ops/ops.h"

namespace waggle::pipeline::ops {

/// Whether the processor adds products of bytes without overflow (AVX512-VNNI, AMX), and oneDNN may use that.
bool onednn_multiplies_bytes();

/// **Shape**: weight [out, in, k, k] in any floating dtype, bias [out] or undefined. Activations are
/// channels-last, bf16 or fp32, quantised image by image.
/// **Threads**: forward() belongs to one thread at a time.
std::unique_ptr<Convolution> onednn_int8_convolution(const Weight& weight, const Weight& bias,
                                                     ConvolutionGeometry geometry);

/// **Shape**: weight [out, in] in any floating dtype, bias [out] or undefined. Activations are bf16 or fp32,
/// quantised row by row.
/// **Threads**: as above.
std::unique_ptr<Linear> onednn_int8_linear(const Weight& weight, const Weight& bias);

}  // namespace waggle::pipeline::ops

// Numbers as signed bytes with a scale for each run of them: weights once, activations at each call.
//
// Symmetric: 0 is 0, and the largest magnitude of a run is 127 steps. Multiplies nothing.
#pragma once

#include <ATen/core/Tensor.h>

namespace waggle::pipeline::ops {

/// x is about values * scale, run by run.
struct Quantized {
  at::Tensor values;  ///< int8
  at::Tensor scale;   ///< [runs] fp32
};

/// A scale for each output channel. **Shape**: weight [out, ...], of any floating dtype -> values int8 of the
/// same shape and contiguous, scale [out].
Quantized quantized_weight(const at::Tensor& weight);

/// What `quantized` stands for, contiguous in fp32.
at::Tensor dequantized(const Quantized& quantized);

/// Whether quantized() runs here.
bool quantizes_to_bytes();
/// Activations, a scale for each of `runs` equal pieces of memory: rows of tokens or images, so that nothing
/// depends on what else is in the batch. **Shape**: x fp32, bf16 or fp16, dense -> values int8 in x's layout,
/// scale [runs].
Quantized quantized(const at::Tensor& x, std::int64_t runs);
/// Sums of products become what they stand for, in place: times the scales of run and channel, plus bias and
/// residual. Runs where quantized() does. **Shape**: y and residual of one dtype, bf16 or fp32, dense with
/// channels last, residual undefined where there is none; run_scale [runs]; channel_scale, bias [channels]
/// fp32.
void scale_back(const at::Tensor& y, const at::Tensor& run_scale, const at::Tensor& channel_scale,
                const at::Tensor& bias, const at::Tensor& residual);
/// The same numbers as quantized() by plain libtorch, as x itself after the loss: in x's dtype. **Shape**: x,
/// whose first dimensions are the runs when viewed as [runs, ...].
at::Tensor with_loss(const at::Tensor& x, std::int64_t runs);

}  // namespace waggle::pipeline::ops

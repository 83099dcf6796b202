// Group normalisation with SiLU, and GEGLU, each as one differentiable operation over bf16.
#pragma once

#include <ATen/core/Tensor.h>

#include "pipeline/ops/ops.h"

namespace waggle::training {

/// Whether the kernels take this input: bf16 on the CPU with channels in whole groups of lanes.
bool can_fuse_norm(const at::Tensor& x, int groups);
bool can_fuse_geglu(const at::Tensor& x);

/// **Shape**: x [B, C, h, w] bf16 -> the same, channels last. Gradients reach x and the weights.
at::Tensor fused_group_norm(const at::Tensor& x, const pipeline::ops::NormWeights& weights, int groups,
                            double eps, bool silu);

/// **Shape**: x [..., 2n] bf16 -> [..., n].
at::Tensor fused_geglu(const at::Tensor& x);

}  // namespace waggle::training

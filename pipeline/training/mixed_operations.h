// The models' operations as training wants them: differentiable, weights in fp32, activations in bf16.
//
// Rendering's operations pack their weights once; here the optimiser changes them between any two calls, so
// each call casts them anew. Nothing here is fast enough, or meant, for rendering.
#pragma once

#include <memory>

#include "pipeline/ops/ops.h"

namespace waggle::training {

/// **Precision**: at::kBFloat16, or at::kFloat to check gradients. Norms and softmax sum in fp32 in both.
/// **Threads**: any number may run forwards and backwards over the same weights at once.
std::shared_ptr<const pipeline::ops::Operations> mixed_operations(at::ScalarType precision);

}  // namespace waggle::training

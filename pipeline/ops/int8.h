// Weights in int8 with a scale for each output channel: operations that trade a little of the result for
// memory and time.
//
// Linear layers and convolutions of 3x3 take their activations as signed bytes too, with a scale for each row
// of tokens or each image; sums are exact. Everything else stays with the operations underneath.
#pragma once

#include <memory>

#include "pipeline/ops/ops.h"

namespace waggle::pipeline::ops {

/// On a CPU with AVX512-VNNI or AMX the products are int8; elsewhere, and over plain libtorch, the operations
/// underneath compute over weights and activations that went through the same loss: the same result up to
/// rounding, at their speed and in their memory.
std::shared_ptr<const Operations> with_int8_weights(std::shared_ptr<const Operations> inner);

}  // namespace waggle::pipeline::ops

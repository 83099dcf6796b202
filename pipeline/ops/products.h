// Linear layers by product kernels of our own: weights packed once, bias and residual added, or the gate
// applied, before the sums are rounded.
#pragma once

#include <memory>

#include "pipeline/kernels/products.h"
#include "pipeline/ops/ops.h"

namespace waggle::pipeline::ops {

/// In bf16; null where the sizes are no multiples of 32. **Threads**: forward() any number at a time.
std::unique_ptr<Linear> product_linear(const Weight& weight, const Weight& bias,
                                       const kernels::ProductKernels& kernels);
/// The same with GEGLU behind it, see Operations::geglu_linear().
std::unique_ptr<Linear> product_geglu(const Weight& weight, const Weight& bias,
                                      const kernels::ProductKernels& kernels);

}  // namespace waggle::pipeline::ops

// The tables behind kernels.h, each defined in the file that is compiled for its processor. Constants:
// nothing runs before a processor was asked whether it can.
#pragma once

#include "pipeline/kernels/kernels.h"
#include "pipeline/kernels/products.h"

namespace waggle::pipeline::kernels {

extern const Kernels<bf16_bits> kAmxBf16;
extern const ProductKernels kAmxProducts;
extern const Kernels<bf16_bits> kAvx512Bf16;
extern const Kernels<float> kAvx512;
extern const Kernels<float> kAvx2;

}  // namespace waggle::pipeline::kernels

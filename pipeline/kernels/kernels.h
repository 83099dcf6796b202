// The sets of kernels that this build has, one for each processor and number format.
//
// A set is null where the processor lacks the instructions; asking costs nothing and needs none of them.
#pragma once

#include "pipeline/kernels/attention.h"
#include "pipeline/kernels/norms.h"

namespace waggle::pipeline::kernels {

using bf16_bits = std::uint16_t;

template <class Element>
struct Kernels {
  NormKernels<Element> norms;
  AttentionKernels<Element> attention;
};

const Kernels<bf16_bits>* avx512_bf16() noexcept;  ///< AVX-512 with the bf16 dot product
const Kernels<bf16_bits>* amx_bf16() noexcept;     ///< the same, and AMX for the products of attention
const Kernels<float>* avx512() noexcept;           ///< AVX-512 (F, BW, DQ, VL)
const Kernels<float>* avx2() noexcept;             ///< AVX2 with FMA

}  // namespace waggle::pipeline::kernels

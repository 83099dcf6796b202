// Which of the sets this processor can run. Compiled for any processor.
#include "pipeline/kernels/kernels.h"

#include "pipeline/kernels/cpu_features.h"
#include "pipeline/kernels/sets.h"

namespace waggle::pipeline::kernels {

#if defined(WAGGLE_AVX512_KERNELS)
const Kernels<bf16_bits>* amx_bf16() noexcept { return has_amx_bf16() ? &kAmxBf16 : nullptr; }
const ProductKernels* amx_products() noexcept { return has_amx_bf16() ? &kAmxProducts : nullptr; }
const Kernels<bf16_bits>* avx512_bf16() noexcept { return has_avx512_bf16() ? &kAvx512Bf16 : nullptr; }
const Kernels<float>* avx512() noexcept { return has_avx512() ? &kAvx512 : nullptr; }
const Kernels<float>* avx2() noexcept { return has_avx2() ? &kAvx2 : nullptr; }
#else
const Kernels<bf16_bits>* amx_bf16() noexcept { return nullptr; }
const ProductKernels* amx_products() noexcept { return nullptr; }
const Kernels<bf16_bits>* avx512_bf16() noexcept { return nullptr; }
const Kernels<float>* avx512() noexcept { return nullptr; }
const Kernels<float>* avx2() noexcept { return nullptr; }
#endif

}  // namespace waggle::pipeline::kernels

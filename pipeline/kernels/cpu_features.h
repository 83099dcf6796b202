// What this processor can do, asked once at run time.
#pragma once

namespace waggle::pipeline::kernels {

/// AVX-512 (F, BW, DQ, VL) with the bf16 dot product.
bool has_avx512_bf16() noexcept;
/// AVX-512 (F, BW, DQ, VL).
bool has_avx512() noexcept;
/// AVX2 with FMA.
bool has_avx2() noexcept;

}  // namespace waggle::pipeline::kernels

// What this processor can do, asked once at run time.
#pragma once

namespace waggle::pipeline::kernels {

/// AVX-512 (F, BW, DQ, VL) with the bf16 dot product.
bool has_avx512_bf16() noexcept;
/// The same with AMX's tiles and their bf16 product, and a kernel that lets this process use them: asked for
/// at the first call.
bool has_amx_bf16() noexcept;
/// AVX-512 (F, BW, DQ, VL).
bool has_avx512() noexcept;
/// AVX2 with FMA.
bool has_avx2() noexcept;

}  // namespace waggle::pipeline::kernels

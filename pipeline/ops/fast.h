// Operations by kernels of our own and by oneDNN, for the processors that have what they need.
//
// Attention without scores, norms and activations in one go, weights packed once, channels-last throughout.
// Each is null where this processor lacks the instructions or this build the library.
#pragma once

#include <memory>

#include "pipeline/ops/ops.h"

namespace waggle::pipeline::ops {

// In bf16 without AMX: avx512_bf16_operations() of ops.h.

/// bf16 on AMX and AVX512-BF16.
std::shared_ptr<const Operations> amx_bf16_operations();
/// fp32 on AVX-512.
std::shared_ptr<const Operations> avx512_operations();
/// fp32 on AVX2 with FMA.
std::shared_ptr<const Operations> avx2_operations();

}  // namespace waggle::pipeline::ops

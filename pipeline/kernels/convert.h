// Number formats of weights, converted at the speed of memory: libtorch 1.13 turns half into bfloat16 one
// number at a time.
#pragma once

#include <cstdint>

namespace waggle::pipeline::kernels {

/// IEEE half to bfloat16, to nearest, ties to even; NaN stays NaN. **Shape**: x, y [count].
void half_to_bfloat16(const std::uint16_t* x, std::int64_t count, std::uint16_t* y);

}  // namespace waggle::pipeline::kernels

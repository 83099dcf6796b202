// Processor features.
#include "pipeline/kernels/cpu_features.h"

namespace waggle::pipeline::kernels {

#if defined(__x86_64__)
bool has_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("fma");
}
bool has_avx512_bf16() noexcept { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }
bool has_avx2() noexcept { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#else
bool has_avx512() noexcept { return false; }
bool has_avx512_bf16() noexcept { return false; }
bool has_avx2() noexcept { return false; }
#endif

}  // namespace waggle::pipeline::kernels

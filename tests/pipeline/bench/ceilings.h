// What this machine can do at best, measured in the same run as the work.
#pragma once

namespace waggle::bench {

struct Ceilings {
  double bf16_gflops = 0;        ///< matrix products of 4096^3
  double fp32_gflops = 0;        ///< of 2048^3, by oneDNN or by libtorch's BLAS, whichever is faster
  double copy_gbytes_per_s = 0;  ///< read and written bytes of a large copy
};

Ceilings measure_ceilings();

/// The higher of each: a shared machine gives more at one time than at another.
Ceilings highest(const Ceilings& a, const Ceilings& b);

}  // namespace waggle::bench

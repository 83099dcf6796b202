// What this machine can do at best, measured in the same run as the work.
#pragma once

#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pipeline/ops/ops.h"

namespace waggle::bench {

struct Ceilings {
  double bf16_gflops = 0;        ///< matrix products of 4096^3
  double fp32_gflops = 0;        ///< of 2048^3, by oneDNN or by libtorch's BLAS, whichever is faster
  double copy_gbytes_per_s = 0;  ///< read and written bytes of a large copy
};

Ceilings measure_ceilings();

/// Matrix products of 4096^3 in bf16 or 2048^3 in fp32, for samples between the runs of the work: a processor
/// that was busy is slower than one that was not (AMX by half), and one of a shared machine at one time than
/// at another.
class Products {
 public:
  explicit Products(at::ScalarType type);
  /// The median rate of half a second of them, by the implementation that is faster now.
  [[nodiscard]] double gflops() const;

 private:
  std::int64_t side_;
  at::Tensor input_;
  std::vector<std::unique_ptr<pipeline::ops::Linear>> layers_;  ///< one of each implementation
};

/// The higher of each: a shared machine gives more at one time than at another.
Ceilings highest(const Ceilings& a, const Ceilings& b);

}  // namespace waggle::bench

// Products of rows in bf16 with weights that were packed once, for linear layers. Raw pointers, one thread;
// whoever calls divides the work.
#pragma once

#include <cstdint>

namespace waggle::pipeline::kernels {

/// Rows of one factor and of the result.
struct ProductRows {
  using Element = std::uint16_t;
  const Element* first = nullptr;  ///< [count, depth], contiguous; depth a multiple of 32
  std::int64_t count = 0;          ///< those up to the next multiple of 32 are read, whatever they are
  std::int64_t depth = 0;
  Element* result = nullptr;          ///< rows of `width`
  const Element* residual = nullptr;  ///< shaped as the result, added to it; may be null
  std::int64_t width = 0;
};

struct ProductKernels {
  using Element = ProductRows::Element;
  /// 32 columns of the other factor. **Shape**: left, right [16, depth]; packed [32 * depth].
  void (*pack)(const Element* left, const Element* right, std::int64_t depth, Element* packed);
  /// Columns from `first` to `last`, multiples of 32, of some rows. `bias`: of each column; may be null. Sums
  /// are fp32, rounded once.
  void (*multiply)(const ProductRows& rows, const Element* packed, const float* bias, std::int64_t first,
                   std::int64_t last);
  /// The same, but that each 32 columns make 16 of the result: the left ones times GELU of the right ones
  /// (GEGLU, Shazeer 2020). No residual.
  void (*multiply_gated)(const ProductRows& rows, const Element* packed, const float* bias,
                         std::int64_t first, std::int64_t last);
};

/// By AMX's tiles; null where the processor has none.
const ProductKernels* amx_products() noexcept;

}  // namespace waggle::pipeline::kernels

// Normalisations and activations over channels-last activations, as functions that a processor chose.
//
// Raw pointers, no torch: the implementations are compiled for processors that the rest of the program may
// not have. Each works on a range, so that the caller chooses the threads. Sums are fp32 whatever the
// Element.
#pragma once

#include <cstdint>

namespace waggle::pipeline::kernels {

template <class Element>
struct NormKernels {
  /// Adds the sums and the sums of squares of each channel over `rows` rows. **Shape**: x [rows, channels];
  /// sum, square [channels]. Sums of up to 64 rows are fp32, their totals double.
  void (*channel_sums)(const Element* x, std::int64_t rows, std::int64_t channels, double* sum,
                       double* square);

  /// y = x * scale + shift per channel, then SiLU if asked. **Shape**: x, y [rows, channels]; scale, shift
  /// [channels].
  void (*scale_shift)(const Element* x, std::int64_t rows, std::int64_t channels, const float* scale,
                      const float* shift, bool silu, Element* y);

  /// Layer normalisation of each row (Ba et al. 2016). **Shape**: x, y [rows, width]; weight, bias [width].
  void (*layer_norm)(const Element* x, std::int64_t rows, std::int64_t width, const float* weight,
                     const float* bias, float eps, Element* y);

  /// First half times exact GELU of the second half. **Shape**: x [rows, 2 width] -> y [rows, width].
  void (*geglu)(const Element* x, std::int64_t rows, std::int64_t width, Element* y);
};

}  // namespace waggle::pipeline::kernels

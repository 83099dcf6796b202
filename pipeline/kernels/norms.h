// Normalisations and activations over bf16 activations in channels-last layout, with fp32 sums.
//
// Raw pointers, no torch: the implementation is compiled for AVX512-BF16. Each function works on a range, so
// that the caller chooses the threads.
#pragma once

#include <cstdint>

namespace waggle::pipeline::kernels {

/// Adds the sums and the sums of squares of each channel over `rows` rows. **Shape**: x [rows, channels];
/// sum, square [channels]. Sums of up to 64 rows are fp32, their totals double.
void channel_sums(const std::uint16_t* x, std::int64_t rows, std::int64_t channels, double* sum,
                  double* square);

/// y = x * scale + shift per channel, then SiLU if asked. **Shape**: x, y [rows, channels]; scale, shift
/// [channels].
void scale_shift(const std::uint16_t* x, std::int64_t rows, std::int64_t channels, const float* scale,
                 const float* shift, bool silu, std::uint16_t* y);

/// Layer normalisation of each row (Ba et al. 2016). **Shape**: x, y [rows, width]; weight, bias [width].
void layer_norm(const std::uint16_t* x, std::int64_t rows, std::int64_t width, const float* weight,
                const float* bias, float eps, std::uint16_t* y);

/// First half times exact GELU of the second half. **Shape**: x [rows, 2 width] -> y [rows, width].
void geglu(const std::uint16_t* x, std::int64_t rows, std::int64_t width, std::uint16_t* y);

}  // namespace waggle::pipeline::kernels

// Numbers as signed bytes, for products in int8: the largest magnitude of a run of them, the run scaled and
// rounded, and a row of products scaled back.
//
// Needs AVX-512 (F, BW, DQ, VL): ask pipeline/kernels/cpu_features.h first.
#pragma once

#include <cstdint>

namespace waggle::pipeline::kernels {

/// Numbers of two bytes, told apart by type.
struct Bfloat16 {
  std::uint16_t bits;
};
struct Half {
  std::uint16_t bits;
};

/// max |x|; 0 of none. A NaN may or may not be seen. **Shape**: x [count].
float largest_magnitude(const float* x, std::int64_t count);
float largest_magnitude(const Bfloat16* x, std::int64_t count);
float largest_magnitude(const Half* x, std::int64_t count);

/// y = x * factor to the nearest whole number, ties to even, within -128..127. **Shape**: x, y [count].
void to_bytes(const float* x, std::int64_t count, float factor, std::int8_t* y);
void to_bytes(const Bfloat16* x, std::int64_t count, float factor, std::int8_t* y);
void to_bytes(const Half* x, std::int64_t count, float factor, std::int8_t* y);

/// y = y * scale * by_channel + bias + residual, in fp32. `residual`: null adds nothing. **Shape**: all
/// [channels].
void scale_back(float* y, std::int64_t channels, float scale, const float* by_channel, const float* bias,
                const float* residual);
void scale_back(Bfloat16* y, std::int64_t channels, float scale, const float* by_channel, const float* bias,
                const Bfloat16* residual);

}  // namespace waggle::pipeline::kernels

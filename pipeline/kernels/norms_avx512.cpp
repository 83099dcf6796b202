// Normalisations and activations on AVX-512. See norms.h.
#include <algorithm>

#include "pipeline/kernels/avx512_math.h"
#include "pipeline/kernels/norms.h"

namespace waggle::pipeline::kernels {
namespace {

constexpr std::int64_t kLanes = 16;

}  // namespace

void channel_sums(const std::uint16_t* x, std::int64_t rows, std::int64_t channels, double* sum,
                  double* square) {
  constexpr std::int64_t kChunk = 64;  // rows whose sum fp32 carries without visible loss
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    const __mmask16 lanes = first_lanes(channels - c);
    alignas(64) float part[kLanes], part_square[kLanes];
    for (std::int64_t first = 0; first < rows; first += kChunk) {
      __m512 s = _mm512_setzero_ps(), s2 = _mm512_setzero_ps();
      for (std::int64_t r = first; r < std::min(rows, first + kChunk); ++r) {
        const __m512 v = load_bf16(x + r * channels + c, lanes);
        s = _mm512_add_ps(s, v);
        s2 = _mm512_fmadd_ps(v, v, s2);
      }
      _mm512_store_ps(part, s);
      _mm512_store_ps(part_square, s2);
      for (std::int64_t i = 0; i < std::min(kLanes, channels - c); ++i) {
        sum[c + i] += static_cast<double>(part[i]);
        square[c + i] += static_cast<double>(part_square[i]);
      }
    }
  }
}

void scale_shift(const std::uint16_t* x, std::int64_t rows, std::int64_t channels, const float* scale,
                 const float* shift, bool silu, std::uint16_t* y) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const __mmask16 lanes = first_lanes(channels - c);
      __m512 v =
          _mm512_fmadd_ps(load_bf16(x + r * channels + c, lanes), _mm512_maskz_loadu_ps(lanes, scale + c),
                          _mm512_maskz_loadu_ps(lanes, shift + c));
      if (silu) v = silu_ps(v);
      store_bf16(y + r * channels + c, v, lanes);
    }
}

void layer_norm(const std::uint16_t* x, std::int64_t rows, std::int64_t width, const float* weight,
                const float* bias, float eps, std::uint16_t* y) {
  for (std::int64_t r = 0; r < rows; ++r, x += width, y += width) {
    __m512 s = _mm512_setzero_ps();
    for (std::int64_t c = 0; c < width; c += kLanes)
      s = _mm512_add_ps(s, load_bf16(x + c, first_lanes(width - c)));
    const float mean = _mm512_reduce_add_ps(s) / static_cast<float>(width);
    const __m512 m = _mm512_set1_ps(mean);
    __m512 s2 = _mm512_setzero_ps();  // around the mean: no cancellation
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const __mmask16 lanes = first_lanes(width - c);
      const __m512 d = _mm512_maskz_sub_ps(lanes, load_bf16(x + c, lanes), m);
      s2 = _mm512_fmadd_ps(d, d, s2);
    }
    const float variance = _mm512_reduce_add_ps(s2) / static_cast<float>(width);
    const __m512 inverse = _mm512_set1_ps(1.0F / __builtin_sqrtf(variance + eps));
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const __mmask16 lanes = first_lanes(width - c);
      const __m512 d = _mm512_mul_ps(_mm512_sub_ps(load_bf16(x + c, lanes), m), inverse);
      store_bf16(y + c,
                 _mm512_fmadd_ps(d, _mm512_maskz_loadu_ps(lanes, weight + c),
                                 _mm512_maskz_loadu_ps(lanes, bias + c)),
                 lanes);
    }
  }
}

void geglu(const std::uint16_t* x, std::int64_t rows, std::int64_t width, std::uint16_t* y) {
  for (std::int64_t r = 0; r < rows; ++r, x += 2 * width, y += width)
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const __mmask16 lanes = first_lanes(width - c);
      store_bf16(y + c, _mm512_mul_ps(load_bf16(x + c, lanes), gelu_ps(load_bf16(x + width + c, lanes))),
                 lanes);
    }
}

}  // namespace waggle::pipeline::kernels

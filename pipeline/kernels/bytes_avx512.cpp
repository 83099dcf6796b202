// Sixteen numbers at a time, in fp32, which holds the others exactly.
#include <bit>

#include <immintrin.h>

#include "pipeline/kernels/bytes.h"

namespace waggle::pipeline::kernels {
namespace {

__mmask16 first_of(std::int64_t count) {
  return count >= 16 ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1U << count) - 1);
}
__m512 load(const float* x, __mmask16 which) { return _mm512_maskz_loadu_ps(which, x); }
__m512 load(const Bfloat16* x, __mmask16 which) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(which, x)), 16));
}
__m512 load(const Half* x, __mmask16 which) { return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(which, x)); }

void store(float* y, __mmask16 which, __m512 x) { _mm512_mask_storeu_ps(y, which, x); }
void store(Bfloat16* y, __mmask16 which, __m512 x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i near = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  _mm256_mask_storeu_epi16(y, which, _mm512_cvtepi32_epi16(_mm512_srli_epi32(near, 16)));
}

template <class Element>
void scaled_back(Element* y, std::int64_t channels, float scale, const float* by_channel, const float* bias,
                 const Element* residual) {
  const __m512 scales = _mm512_set1_ps(scale);
  for (std::int64_t i = 0; i < channels; i += 16) {
    const __mmask16 which = first_of(channels - i);
    const __m512 factors = _mm512_mul_ps(load(by_channel + i, which), scales);
    __m512 x = _mm512_fmadd_ps(load(y + i, which), factors, load(bias + i, which));
    if (residual != nullptr) x = _mm512_add_ps(x, load(residual + i, which));
    store(y + i, which, x);
  }
}

template <class Element>
float largest(const Element* x, std::int64_t count) {
  __m512 most = _mm512_setzero_ps();
  for (std::int64_t i = 0; i < count; i += 16)
    most = _mm512_max_ps(most, _mm512_abs_ps(load(x + i, first_of(count - i))));
  return _mm512_reduce_max_ps(most);
}

template <class Element>
void scaled(const Element* x, std::int64_t count, float factor, std::int8_t* y) {
  const __m512 factors = _mm512_set1_ps(factor);
  for (std::int64_t i = 0; i < count; i += 16) {
    const __mmask16 which = first_of(count - i);
    const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(load(x + i, which), factors));
    _mm512_mask_cvtsepi32_storeu_epi8(y + i, which, whole);
  }
}

}  // namespace

float largest_magnitude(const float* x, std::int64_t count) { return largest(x, count); }
float largest_magnitude(const Half* x, std::int64_t count) { return largest(x, count); }

// At each call of a layer, so twice as fast: without their sign, bf16 numbers are in the order of their bits.
float largest_magnitude(const Bfloat16* x, std::int64_t count) {
  const __m512i magnitude = _mm512_set1_epi16(0x7fff);
  __m512i most = _mm512_setzero_si512();
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32)
    most = _mm512_max_epu16(most, _mm512_and_si512(_mm512_loadu_si512(x + i), magnitude));
  if (i < count) {
    const auto rest = static_cast<__mmask32>((1U << (count - i)) - 1);
    most = _mm512_max_epu16(most, _mm512_and_si512(_mm512_maskz_loadu_epi16(rest, x + i), magnitude));
  }
  const __m512i even = _mm512_and_si512(most, _mm512_set1_epi32(0xffff)), odd = _mm512_srli_epi32(most, 16);
  return std::bit_cast<float>(_mm512_reduce_max_epu32(_mm512_max_epu32(even, odd)) << 16);
}

void to_bytes(const float* x, std::int64_t count, float factor, std::int8_t* y) {
  scaled(x, count, factor, y);
}
void to_bytes(const Bfloat16* x, std::int64_t count, float factor, std::int8_t* y) {
  scaled(x, count, factor, y);
}
void to_bytes(const Half* x, std::int64_t count, float factor, std::int8_t* y) {
  scaled(x, count, factor, y);
}

void scale_back(float* y, std::int64_t channels, float scale, const float* by_channel, const float* bias,
                const float* residual) {
  scaled_back(y, channels, scale, by_channel, bias, residual);
}
void scale_back(Bfloat16* y, std::int64_t channels, float scale, const float* by_channel, const float* bias,
                const Bfloat16* residual) {
  scaled_back(y, channels, scale, by_channel, bias, residual);
}

}  // namespace waggle::pipeline::kernels

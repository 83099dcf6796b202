// Sixteen numbers at a time, through fp32, which holds every half exactly.
#include <immintrin.h>

#include "pipeline/kernels/convert.h"

namespace waggle::pipeline::kernels {
namespace {

/// Not VCVTNEPS2BF16: that one reads denormals as zero, and rounding by hand costs nothing beside the memory.
__m256i rounded(__m512 x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i near = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  const __m512i quiet = _mm512_set1_epi32(0x7fc00000);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(near, nan, quiet), 16));
}

}  // namespace

void half_to_bfloat16(const std::uint16_t* x, std::int64_t count, std::uint16_t* y) {
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), rounded(_mm512_cvtph_ps(half)));
  }
  if (i == count) return;
  const auto rest = static_cast<__mmask16>((1u << (count - i)) - 1);
  const __m256i half = _mm256_maskz_loadu_epi16(rest, x + i);
  _mm256_mask_storeu_epi16(y + i, rest, rounded(_mm512_cvtph_ps(half)));
}

}  // namespace waggle::pipeline::kernels

// bf16 in memory, fp32 in registers, products of pairs by AVX512-BF16. See formats.h.
#pragma once

#include <cstdint>
#include <cstring>

#include "pipeline/kernels/lanes_avx512.h"

namespace waggle::pipeline::kernels {
namespace {

struct Bf16 {
  using Lanes = Avx512;
  using Element = std::uint16_t;
  using Vector = __m512;
  static constexpr int kDepth = 2;
  static constexpr std::int64_t kTile = 256;  // its keys and values fit the first cache

  static Vector load(const Element* p, Avx512::All) {
    return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Vector load(const Element* p, __mmask16 mask) { return widened(_mm256_maskz_loadu_epi16(mask, p)); }
  static void store(Element* p, Vector x, Avx512::All) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrowed(x));
  }
  static void store(Element* p, Vector x, __mmask16 mask) { _mm256_mask_storeu_epi16(p, mask, narrowed(x)); }
  /// **Errors**: relative below 1e-4, an order below bf16's own rounding.
  static Vector reciprocal(Vector x) { return _mm512_rcp14_ps(x); }

  using Operand = __m512bh;
  static Operand operand(const Element* p) { return reinterpret_cast<__m512bh>(_mm512_loadu_si512(p)); }
  static Operand spread(const Element* p) {
    std::int32_t pair;
    std::memcpy(&pair, p, 4);
    return reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
  }
  static Vector multiply_add(Operand a, Operand b, Vector sum) { return _mm512_dpbf16_ps(sum, a, b); }
  static void interleave(const Element* const* rows, __mmask16 mask, Element* out) {
    const auto row = [&](int i) {
      return rows[i] == nullptr ? _mm512_setzero_si512()
                                : _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, rows[i]));
    };
    _mm512_storeu_si512(out, _mm512_or_si512(row(0), _mm512_slli_epi32(row(1), 16)));
  }

 private:
  static Vector widened(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  static __m256i narrowed(Vector x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)); }
};

}  // namespace
}  // namespace waggle::pipeline::kernels

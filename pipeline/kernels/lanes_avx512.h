// Sixteen fp32 numbers in a register of AVX-512, under the names that kernels written once for every width
// use. Included by files that are compiled for AVX-512 alone.
#pragma once

#include <cstdint>

#include <immintrin.h>

namespace waggle::pipeline::kernels {
namespace {  // each file its own copy: the linker must not pick one that was compiled for another processor

struct Avx512 {
  using Vector = __m512;
  using Mask = __mmask16;
  struct All {};  ///< the mask that hides nothing
  static constexpr std::int64_t kLanes = 16;
  static constexpr int kVectors = 4;  ///< with six rows 24 sums, which leaves registers for both operands

  static Vector set(float x) { return _mm512_set1_ps(x); }
  static Vector load(const float* p, All) { return _mm512_loadu_ps(p); }
  static Vector load(const float* p, Mask mask) { return _mm512_maskz_loadu_ps(mask, p); }
  static void store(float* p, Vector x, All) { _mm512_storeu_ps(p, x); }
  static void store(float* p, Vector x, Mask mask) { _mm512_mask_storeu_ps(p, mask, x); }
  /// The first n lanes, n at least 1.
  static Mask first(std::int64_t n) {
    return n >= kLanes ? Mask{0xFFFF} : static_cast<Mask>((1U << static_cast<unsigned>(n)) - 1);
  }
  /// x in the lanes of the mask, `other` in the rest.
  static Vector blend(Vector x, Vector, All) { return x; }
  static Vector blend(Vector x, Vector other, Mask mask) { return _mm512_mask_mov_ps(other, mask, x); }

  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector max(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  static Vector abs(Vector x) { return _mm512_abs_ps(x); }
  static Vector round(Vector x) {
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  /// x 2^n for a whole n; underflows to 0, overflows to infinity.
  static Vector scale(Vector x, Vector n) { return _mm512_scalef_ps(x, n); }
  static Vector where_negative(Vector sign, Vector x, Vector other) {
    return _mm512_mask_mov_ps(other, _mm512_cmp_ps_mask(sign, _mm512_setzero_ps(), _CMP_LT_OQ), x);
  }
  static float total(Vector x) { return _mm512_reduce_add_ps(x); }
  static float largest(Vector x) { return _mm512_reduce_max_ps(x); }
};

}  // namespace
}  // namespace waggle::pipeline::kernels

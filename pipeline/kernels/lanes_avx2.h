// Eight fp32 numbers in a register of AVX2, under the names of lanes_avx512.h. Included by files that are
// compiled for AVX2 with FMA alone.
#pragma once

#include <cstdint>

#include <immintrin.h>

namespace waggle::pipeline::kernels {
namespace {  // each file its own copy: the linker must not pick one that was compiled for another processor

struct Avx2 {
  using Vector = __m256;
  using Mask = __m256i;
  struct All {};  ///< the mask that hides nothing
  static constexpr std::int64_t kLanes = 8;
  static constexpr int kVectors = 2;  ///< with six rows 12 of the 16 registers

  static Vector set(float x) { return _mm256_set1_ps(x); }
  static Vector load(const float* p, All) { return _mm256_loadu_ps(p); }
  static Vector load(const float* p, Mask mask) { return _mm256_maskload_ps(p, mask); }
  static void store(float* p, Vector x, All) { _mm256_storeu_ps(p, x); }
  static void store(float* p, Vector x, Mask mask) { _mm256_maskstore_ps(p, mask, x); }
  /// The first n lanes, n at least 1.
  static Mask first(std::int64_t n) {
    const int lanes = static_cast<int>(n < kLanes ? n : kLanes);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  /// x in the lanes of the mask, `other` in the rest.
  static Vector blend(Vector x, Vector, All) { return x; }
  static Vector blend(Vector x, Vector other, Mask mask) {
    return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(mask));
  }

  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector max(Vector a, Vector b) { return _mm256_max_ps(a, b); }
  static Vector abs(Vector x) { return _mm256_andnot_ps(set(-0.0F), x); }
  static Vector round(Vector x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  /// x 2^n for a whole n; underflows to 0, overflows to infinity.
  static Vector scale(Vector x, Vector n) {
    const Vector within = _mm256_min_ps(set(128.0F), _mm256_max_ps(set(-127.0F), n));
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(within), _mm256_set1_epi32(127));
    return x * _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  }
  static Vector where_negative(Vector sign, Vector x, Vector other) {
    return _mm256_blendv_ps(other, x, sign);  // looks at the sign bit alone
  }
  static float total(Vector x) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float largest(Vector x) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
};

}  // namespace
}  // namespace waggle::pipeline::kernels

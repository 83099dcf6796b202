// The softmax of a row of scores, tile by tile, for weights that are rounded to bf16.
//
// Exponentials are no finer than that, and no maximum is looked for where the last one will do.
#pragma once

#include "pipeline/kernels/amx_packing.h"
#include "pipeline/kernels/lane_math.h"

namespace waggle::pipeline::kernels {
namespace {

inline constexpr float kNoReference = -__builtin_inff();  ///< of a row that has seen no key

/// 2^x. **Errors**: relative below 7.5e-5, an order below bf16's own rounding (minimax polynomial of degree
/// 3 on [0, 1)).
inline __m512 coarse_exp2(__m512 x) {
  const __m512 f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_set1_ps(7.8024523e-2F);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.2606716e-1F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.9583354e-1F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.9992522e-1F));
  return _mm512_scalef_ps(p, x);  // by 2^floor(x)
}

/// weights = 2^(scores scale - reference) for a row of keys, zeros up to the next 32. Returns their sum,
/// lane by lane.
inline __m512 weigh(const float* scores, std::int64_t keys, __m512 scale, float reference,
                    bf16_element* weights) {
  const __m512 shift = _mm512_set1_ps(-reference);
  const auto weight = [&](const float* at) {
    return coarse_exp2(_mm512_fmadd_ps(_mm512_loadu_ps(at), scale, shift));
  };
  const auto store = [&](std::int64_t key, __m512 low, __m512 high) {
    _mm512_storeu_si512(weights + key, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
  };
  __m512 total = _mm512_setzero_ps(), other = total;
  std::int64_t key = 0;
  for (; key + kTileDepth <= keys; key += kTileDepth) {
    const __m512 low = weight(scores + key), high = weight(scores + key + Avx512::kLanes);
    total = total + low, other = other + high;
    store(key, low, high);
  }
  if (key < keys) {
    const __mmask32 mask = first_of_32(keys - key);
    const __m512 low = _mm512_maskz_mov_ps(static_cast<__mmask16>(mask), weight(scores + key)),
                 high = _mm512_maskz_mov_ps(static_cast<__mmask16>(mask >> 16),
                                            weight(scores + key + Avx512::kLanes));
    total = total + low, other = other + high;
    store(key, low, high);
  }
  return total + other;
}

inline float largest(const float* scores, std::int64_t keys) {
  __m512 most = _mm512_set1_ps(kNoReference);
  over_lanes<Avx512>(keys, [&](std::int64_t k, auto lanes) {
    most = _mm512_max_ps(most, Avx512::blend(_mm512_loadu_ps(scores + k), most, lanes));
  });
  return _mm512_reduce_max_ps(most);
}

/// Turns one row of scores into weights relative to `reference`, the largest score of the tile in which it
/// was last looked for; looks again, and corrects what earlier tiles left, where weights have grown large.
/// `scale`: in units of log2.
inline void softmax_row(const float* scores, std::int64_t keys, float scale, bf16_element* weights,
                        float& reference, float* sums, float* out, std::int64_t columns) {
  const __m512 limit = _mm512_set1_ps(1024.0F), factor = _mm512_set1_ps(scale);
  if (reference != kNoReference) {
    const __m512 total = weigh(scores, keys, factor, reference, weights);
    if (_mm512_cmp_ps_mask(total, limit, _CMP_GT_OQ) == 0) {
      _mm512_storeu_ps(sums, _mm512_loadu_ps(sums) + total);
      return;
    }
  }
  const float now = largest(scores, keys) * scale;
  const __m512 correction =
      _mm512_set1_ps(reference == kNoReference ? 0.0F : __builtin_exp2f(reference - now));
  reference = now;
  for (std::int64_t c = 0; c < columns; c += Avx512::kLanes)
    _mm512_storeu_ps(out + c, correction * _mm512_loadu_ps(out + c));
  const __m512 total = weigh(scores, keys, factor, reference, weights);
  _mm512_storeu_ps(sums, _mm512_fmadd_ps(_mm512_loadu_ps(sums), correction, total));
}

}  // namespace
}  // namespace waggle::pipeline::kernels

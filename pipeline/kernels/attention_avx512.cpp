// The attention kernel on AVX512-BF16. See attention.h.
#include <algorithm>
#include <cstring>

#include "pipeline/kernels/attention.h"
#include "pipeline/kernels/avx512_math.h"

namespace waggle::pipeline::kernels {
namespace {

constexpr std::int64_t kRows = 6;  // queries in registers
constexpr std::int64_t kTile =
    256;  // keys whose scores exist at a time: keys and values of a tile fit the first cache
constexpr std::int64_t kBlockRows = 48;  // queries that share a tile before the next one is fetched
constexpr std::int64_t kLanes = 16;

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

/// Per-thread working set of a block of queries.
struct Scratch {
  float* scores;       // [kRows, kTile]
  bf16_bits* weights;  // [kRows, kTile]
  float* out;          // [kBlockRows, width rounded up to 16]
  float* maximum;      // [kBlockRows]
  float* sum;          // [kBlockRows]
};

Scratch carve(void* memory, std::int64_t width) {
  char* at = static_cast<char*>(memory);
  const auto take = [&](std::int64_t bytes) {
    char* here = at;
    at += round_up(bytes, 64);
    return here;
  };
  Scratch s{};
  s.scores = reinterpret_cast<float*>(take(kRows * kTile * 4));
  s.weights = reinterpret_cast<bf16_bits*>(take(kRows * kTile * 2));
  s.out = reinterpret_cast<float*>(take(kBlockRows * round_up(width, kLanes) * 4));
  s.maximum = reinterpret_cast<float*>(take(kBlockRows * 4));
  s.sum = reinterpret_cast<float*>(take(kBlockRows * 4));
  return s;
}

inline __m512bh pair_at(const bf16_bits* p) {
  std::int32_t pair;
  std::memcpy(&pair, p, 4);
  return reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
}
inline __m512bh vector_at(const bf16_bits* p) { return reinterpret_cast<__m512bh>(_mm512_loadu_si512(p)); }

/// out[rows, 16 * vectors] (+)= a[rows, 2 * pairs] . b[pairs, 16 * vectors, 2]: the one micro-kernel of both
/// products. `b_vector`, `b_pair`: elements between neighbouring vectors and pairs of b.
template <int rows, int vectors>
inline void multiply(const bf16_bits* a, std::int64_t a_stride, const bf16_bits* b, std::int64_t b_vector,
                     std::int64_t b_pair, std::int64_t pairs, float* out, std::int64_t out_stride,
                     bool accumulate) {
  __m512 sums[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v)
      sums[r][v] = accumulate ? _mm512_loadu_ps(out + r * out_stride + v * kLanes) : _mm512_setzero_ps();
  for (std::int64_t i = 0; i < pairs; ++i) {
    __m512bh columns[vectors];
    for (int v = 0; v < vectors; ++v) columns[v] = vector_at(b + v * b_vector + i * b_pair);
    for (int r = 0; r < rows; ++r) {
      const __m512bh row = pair_at(a + r * a_stride + 2 * i);
      for (int v = 0; v < vectors; ++v) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], row, columns[v]);
    }
  }
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) _mm512_storeu_ps(out + r * out_stride + v * kLanes, sums[r][v]);
}

using Multiply = void (*)(const bf16_bits*, std::int64_t, const bf16_bits*, std::int64_t, std::int64_t,
                          std::int64_t, float*, std::int64_t, bool);

template <int rows>
Multiply with_vectors(std::int64_t vectors) {
  switch (vectors) {
    case 1:
      return multiply<rows, 1>;
    case 2:
      return multiply<rows, 2>;
    case 3:
      return multiply<rows, 3>;
    default:
      return multiply<rows, 4>;
  }
}

Multiply choose(std::int64_t rows, std::int64_t vectors) {
  switch (rows) {
    case 1:
      return with_vectors<1>(vectors);
    case 2:
      return with_vectors<2>(vectors);
    case 3:
      return with_vectors<3>(vectors);
    case 4:
      return with_vectors<4>(vectors);
    case 5:
      return with_vectors<5>(vectors);
    default:
      return with_vectors<6>(vectors);
  }
}

/// Products over all vectors of a row, up to four at a time (24 sums in registers).
void multiply_all(std::int64_t rows, std::int64_t vectors, const bf16_bits* a, std::int64_t a_stride,
                  const bf16_bits* b, std::int64_t b_vector, std::int64_t b_pair, std::int64_t pairs,
                  float* out, std::int64_t out_stride, bool accumulate) {
  while (vectors > 0) {
    // Five and six are better cut in halves than as four and a rest.
    const std::int64_t now = vectors <= 4 ? vectors : vectors <= 6 ? 3 : 4;
    choose(rows, now)(a, a_stride, b, b_vector, b_pair, pairs, out, out_stride, accumulate);
    b += now * b_vector;
    out += now * kLanes;
    vectors -= now;
  }
}

/// Turns one row of scores into weights relative to the new maximum; corrects what earlier tiles left.
void softmax_row(const float* scores, std::int64_t keys, float scale, bf16_bits* weights, std::int64_t padded,
                 float& maximum, float& sum, float* out, std::int64_t out_vectors) {
  __m512 largest = _mm512_set1_ps(-__builtin_inff());
  for (std::int64_t k = 0; k < keys; k += kLanes)
    largest = _mm512_mask_max_ps(largest, first_lanes(keys - k), largest, _mm512_loadu_ps(scores + k));
  // In units of log2, so that exp2 needs no further factor.
  const float tile_maximum = _mm512_reduce_max_ps(largest) * scale;
  const float now = std::max(maximum, tile_maximum);
  const __m512 shift = _mm512_set1_ps(now), factor = _mm512_set1_ps(scale);
  __m512 total = _mm512_setzero_ps();
  for (std::int64_t k = 0; k < padded; k += kLanes) {
    const __mmask16 lanes = k >= keys ? __mmask16{0} : first_lanes(keys - k);
    const __m512 p =
        _mm512_maskz_mov_ps(lanes, exp2_ps(_mm512_fmsub_ps(_mm512_loadu_ps(scores + k), factor, shift)));
    total = _mm512_add_ps(total, p);
    store_bf16(weights + k, p);
  }
  if (now != maximum) {
    const float correction = maximum == -__builtin_inff() ? 0.0F : __builtin_exp2f(maximum - now);
    sum *= correction;
    const __m512 c = _mm512_set1_ps(correction);
    for (std::int64_t v = 0; v < out_vectors; ++v)
      _mm512_storeu_ps(out + v * kLanes, _mm512_mul_ps(c, _mm512_loadu_ps(out + v * kLanes)));
    maximum = now;
  }
  sum += _mm512_reduce_add_ps(total);
}

}  // namespace

std::size_t packed_keys_size(std::int64_t keys, std::int64_t width) {
  return static_cast<std::size_t>(round_up(keys, kLanes) * width);
}
std::size_t packed_values_size(std::int64_t keys, std::int64_t width) {
  return static_cast<std::size_t>(round_up(keys, kLanes) * round_up(width, kLanes));
}
std::size_t attention_scratch_bytes(std::int64_t width) {
  return static_cast<std::size_t>(kRows * kTile * 6 + kBlockRows * round_up(width, kLanes) * 4 +
                                  2 * kBlockRows * 4 + 5 * 64);
}

void pack_keys(const bf16_bits* k, const AttentionHead& head, bf16_bits* packed) {
  const std::int64_t pairs = head.width / 2;
  for (std::int64_t first = 0; first < head.keys; first += kLanes) {
    bf16_bits* block = packed + first * head.width;  // [pairs][16 keys][2]
    for (std::int64_t key = 0; key < kLanes; ++key)
      for (std::int64_t i = 0; i < pairs; ++i) {
        std::int32_t pair = 0;
        if (first + key < head.keys) std::memcpy(&pair, k + (first + key) * head.k_stride + 2 * i, 4);
        std::memcpy(block + (i * kLanes + key) * 2, &pair, 4);
      }
  }
}

void pack_values(const bf16_bits* v, const AttentionHead& head, bf16_bits* packed) {
  const std::int64_t vectors = round_up(head.width, kLanes) / kLanes, padded = round_up(head.keys, kLanes);
  for (std::int64_t key = 0; key < padded; key += 2)
    for (std::int64_t vector = 0; vector < vectors; ++vector) {
      const __mmask16 lanes = first_lanes(head.width - vector * kLanes);
      const auto row = [&](std::int64_t which) {
        if (which >= head.keys) return _mm512_setzero_si512();
        return _mm512_cvtepu16_epi32(
            _mm256_maskz_loadu_epi16(lanes, v + which * head.v_stride + vector * kLanes));
      };
      const __m512i both = _mm512_or_si512(row(key), _mm512_slli_epi32(row(key + 1), 16));
      _mm512_storeu_si512(packed + (key / 2 * vectors + vector) * 2 * kLanes,
                          both);  // [pairs][vectors][16][2]
    }
}

void attend(const bf16_bits* q, const bf16_bits* packed_k, const bf16_bits* packed_v,
            const AttentionHead& head, float scale, std::int64_t first, std::int64_t last, bf16_bits* out,
            void* memory) {
  const Scratch s = carve(memory, head.width);
  const std::int64_t out_vectors = round_up(head.width, kLanes) / kLanes, out_width = out_vectors * kLanes;
  const float scale_log2 = scale * 1.44269504F;

  for (std::int64_t block = first; block < last; block += kBlockRows) {
    const std::int64_t block_rows = std::min(kBlockRows, last - block);
    std::fill_n(s.out, block_rows * out_width, 0.0F);
    std::fill_n(s.maximum, block_rows, -__builtin_inff());
    std::fill_n(s.sum, block_rows, 0.0F);

    for (std::int64_t tile = 0; tile < head.keys; tile += kTile) {
      const std::int64_t keys = std::min(kTile, head.keys - tile), padded = round_up(keys, kLanes);
      for (std::int64_t r = 0; r < block_rows; r += kRows) {
        const std::int64_t rows = std::min(kRows, block_rows - r);
        multiply_all(rows, padded / kLanes, q + (block + r) * head.q_stride, head.q_stride,
                     packed_k + tile * head.width, kLanes * head.width, 2 * kLanes, head.width / 2, s.scores,
                     kTile, false);
        for (std::int64_t i = 0; i < rows; ++i)
          softmax_row(s.scores + i * kTile, keys, scale_log2, s.weights + i * kTile, padded, s.maximum[r + i],
                      s.sum[r + i], s.out + (r + i) * out_width, out_vectors);
        multiply_all(rows, out_vectors, s.weights, kTile, packed_v + tile * out_width, 2 * kLanes,
                     out_vectors * 2 * kLanes, padded / 2, s.out + r * out_width, out_width, true);
      }
    }

    for (std::int64_t r = 0; r < block_rows; ++r) {
      const __m512 inverse = _mm512_set1_ps(1.0F / s.sum[r]);
      for (std::int64_t v = 0; v < out_vectors; ++v)
        store_bf16(out + (block + r) * head.out_stride + v * kLanes,
                   _mm512_mul_ps(inverse, _mm512_loadu_ps(s.out + r * out_width + v * kLanes)),
                   first_lanes(head.width - v * kLanes));
    }
  }
}

}  // namespace waggle::pipeline::kernels

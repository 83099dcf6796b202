// The kernels of attention.h for bf16 on AMX: both products by tiles, the softmax between them in AVX-512.
//
// The products are so fast that the exponentials are most of the work: their polynomial is no finer than
// weights in bf16 need, and no maximum is looked for where the last one will do.
#pragma once

#include <cstring>
#include <type_traits>

#include "pipeline/kernels/amx_tiles.h"
#include "pipeline/kernels/attention.h"
#include "pipeline/kernels/format_bf16.h"
#include "pipeline/kernels/lane_math.h"

namespace waggle::pipeline::kernels {
namespace {

struct AttentionAmx {
  using Element = Bf16::Element;
  using Vector = __m512;
  static constexpr std::int64_t kLanes = Avx512::kLanes, kSide = Tiles::kRows, kDepth = Tiles::kDepth;
  static constexpr std::int64_t kTileElements = kSide * kDepth;
  static constexpr std::int64_t kRows = 2 * kSide;  // queries that meet a tile of keys at a time
  static constexpr std::int64_t kBlockRows = 96;    // queries that share keys before the next are fetched
  static constexpr std::int64_t kKeys = 128;        // whose scores exist at a time: they fit the first cache
  static constexpr float kLowest = -__builtin_inff();

  static constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }
  static constexpr std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

  /// Sizes of a head in whole tiles.
  struct Sizes {
    std::int64_t depth, columns;  ///< channels as both products want them
    explicit Sizes(std::int64_t width) : depth(round_up(width, kDepth)), columns(round_up(width, kSide)) {}
  };

  /// Per-thread working set of a block of queries.
  struct Scratch {
    Element* queries;  // [kBlockRows, depth], zeros past the width
    float* scores;     // [kRows, kKeys]
    Element* weights;  // [kRows, kKeys]
    float* out;        // [kBlockRows, columns]
    float* sums;       // [kBlockRows, kLanes]
    float* reference;  // [kBlockRows]
  };

  static Scratch carve(char* at, const Sizes& sizes) {
    const auto take = [&]<class T>(T*& part, std::int64_t count) {
      part = reinterpret_cast<T*>(at);
      at += round_up(count * static_cast<std::int64_t>(sizeof(T)), 64);
    };
    Scratch s{};
    take(s.queries, kBlockRows * sizes.depth);
    take(s.scores, kRows * kKeys);
    take(s.weights, kRows * kKeys);
    take(s.out, kBlockRows * sizes.columns);
    take(s.sums, kBlockRows * kLanes);
    take(s.reference, kBlockRows);
    return s;
  }

  static std::size_t scratch_bytes(std::int64_t width) {
    const Sizes sizes(width);
    return static_cast<std::size_t>(kBlockRows * (2 * sizes.depth + 4 * sizes.columns + 4 * kLanes + 4) +
                                    kRows * kKeys * 6 + 6 * 64);
  }
  static std::size_t packed_keys_size(std::int64_t keys, std::int64_t width) {
    return static_cast<std::size_t>(round_up(keys, kDepth) * Sizes(width).depth);
  }
  static std::size_t packed_values_size(std::int64_t keys, std::int64_t width) {
    return static_cast<std::size_t>(round_up(keys, kDepth) * Sizes(width).columns);
  }

  /// 16 rows of 16 dwords -> their columns. **Shape**: out: rows of 64 bytes.
  static void transpose(__m512i (&x)[16], Element* out) {
    __m512i y[16];
    for (int i = 0; i < 16; i += 2) {
      y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
      y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
      for (int j = 0; j < 2; ++j) {
        x[i + 2 * j] = _mm512_unpacklo_epi64(y[i + j], y[i + j + 2]);
        x[i + 2 * j + 1] = _mm512_unpackhi_epi64(y[i + j], y[i + j + 2]);
      }
    // x[4 r + c]: in each quarter q, column 4 q + c of rows 4 r to 4 r + 3.
    for (int c = 0; c < 4; ++c) {
      const __m512i low01 = _mm512_shuffle_i32x4(x[c], x[4 + c], 0x44),
                    high01 = _mm512_shuffle_i32x4(x[c], x[4 + c], 0xEE),
                    low23 = _mm512_shuffle_i32x4(x[8 + c], x[12 + c], 0x44),
                    high23 = _mm512_shuffle_i32x4(x[8 + c], x[12 + c], 0xEE);
      _mm512_storeu_si512(out + kDepth * c, _mm512_shuffle_i32x4(low01, low23, 0x88));
      _mm512_storeu_si512(out + kDepth * (4 + c), _mm512_shuffle_i32x4(low01, low23, 0xDD));
      _mm512_storeu_si512(out + kDepth * (8 + c), _mm512_shuffle_i32x4(high01, high23, 0x88));
      _mm512_storeu_si512(out + kDepth * (12 + c), _mm512_shuffle_i32x4(high01, high23, 0xDD));
    }
  }

  static __mmask32 first_of_32(std::int64_t n) {
    return n >= kDepth ? ~__mmask32{0} : (__mmask32{1} << static_cast<unsigned>(n)) - 1;
  }

  /// packed: [blocks of 16 keys][chunks of 32 channels][16 pairs of channels][16 keys][2]
  static void pack_keys(const Element* k, const AttentionHead& head, Element* packed) {
    for (std::int64_t first = 0; first < round_up(head.keys, kDepth); first += kSide)
      for (std::int64_t c = 0; c < head.width; c += kDepth, packed += kTileElements) {
        __m512i rows[kSide];
        for (std::int64_t i = 0; i < kSide; ++i)
          rows[i] = first + i < head.keys ? _mm512_maskz_loadu_epi16(first_of_32(head.width - c),
                                                                     k + (first + i) * head.k_stride + c)
                                          : _mm512_setzero_si512();
        transpose(rows, packed);
      }
  }

  /// packed: [blocks of 32 keys][tiles of 16 channels][16 pairs of keys][16 channels][2]
  static void pack_values(const Element* v, const AttentionHead& head, Element* packed) {
    for (std::int64_t first = 0; first < head.keys; first += kDepth)
      for (std::int64_t c = 0; c < head.width; c += kSide)
        for (std::int64_t key = first; key < first + kDepth; key += 2, packed += kDepth) {
          const Element* rows[2];
          for (std::int64_t d = 0; d < 2; ++d)
            rows[d] = key + d < head.keys ? v + (key + d) * head.v_stride + c : nullptr;
          Bf16::interleave(rows, Avx512::first(head.width - c), packed);
        }
  }

  static void load_queries(const Element* q, std::int64_t rows, const AttentionHead& head, std::int64_t depth,
                           Element* out) {
    for (std::int64_t r = 0; r < round_up(rows, kRows); ++r)
      for (std::int64_t c = 0; c < depth; c += kDepth)
        _mm512_storeu_si512(
            out + r * depth + c,
            r < rows ? _mm512_maskz_loadu_epi16(first_of_32(head.width - c), q + r * head.q_stride + c)
                     : _mm512_setzero_si512());
  }

  /// scores = q k^T of 32 queries and `keys` of the packed keys, a multiple of 32.
  static void multiply_keys(const Element* queries, std::int64_t depth, const Element* packed,
                            std::int64_t keys, float* scores) {
    constexpr std::int64_t kStride = kKeys * 4;
    for (std::int64_t key = 0; key < keys; key += 2 * kSide, packed += 2 * kSide * depth) {
      Tiles::zero<0>(), Tiles::zero<1>(), Tiles::zero<2>(), Tiles::zero<3>();
      for (std::int64_t c = 0; c < depth; c += kDepth) {
        Tiles::load<4>(queries + c, 2 * depth);
        Tiles::load<6>(packed + kSide * c, 64);
        Tiles::multiply<0, 4, 6>();
        Tiles::load<7>(packed + kSide * (depth + c), 64);
        Tiles::multiply<1, 4, 7>();
        Tiles::load<5>(queries + kSide * depth + c, 2 * depth);
        Tiles::multiply<2, 5, 6>();
        Tiles::multiply<3, 5, 7>();
      }
      Tiles::store<0>(scores + key, kStride);
      Tiles::store<1>(scores + key + kSide, kStride);
      Tiles::store<2>(scores + kSide * kKeys + key, kStride);
      Tiles::store<3>(scores + kSide * kKeys + key + kSide, kStride);
    }
  }

  /// out += weights . values for 32 queries and `tiles` of 16 columns.
  template <int tiles>
  static void multiply_values_of(const Element* weights, std::int64_t keys, const Element* packed,
                                 std::int64_t columns, float* out) {
    const std::int64_t stride = 4 * columns;
    float* const lower = out + kSide * columns;
    Tiles::load<0>(out, stride), Tiles::load<3>(lower, stride);
    if constexpr (tiles > 1) Tiles::load<1>(out + 16, stride), Tiles::load<4>(lower + 16, stride);
    if constexpr (tiles > 2) Tiles::load<2>(out + 32, stride), Tiles::load<5>(lower + 32, stride);
    for (std::int64_t key = 0; key < keys; key += kDepth, packed += kDepth * columns) {
      const auto row_of_tiles = [&]<int first>(std::integral_constant<int, first>) {
        Tiles::load<6>(weights + first / 3 * kSide * kKeys + key, kKeys * 2);
        Tiles::load<7>(packed, 64);
        Tiles::multiply<first, 6, 7>();
        if constexpr (tiles > 1) {
          Tiles::load<7>(packed + kTileElements, 64);
          Tiles::multiply<first + 1, 6, 7>();
        }
        if constexpr (tiles > 2) {
          Tiles::load<7>(packed + 2 * kTileElements, 64);
          Tiles::multiply<first + 2, 6, 7>();
        }
      };
      row_of_tiles(std::integral_constant<int, 0>());
      row_of_tiles(std::integral_constant<int, 3>());
    }
    Tiles::store<0>(out, stride), Tiles::store<3>(lower, stride);
    if constexpr (tiles > 1) Tiles::store<1>(out + 16, stride), Tiles::store<4>(lower + 16, stride);
    if constexpr (tiles > 2) Tiles::store<2>(out + 32, stride), Tiles::store<5>(lower + 32, stride);
  }

  static void multiply_values(const Element* weights, std::int64_t keys, const Element* packed,
                              std::int64_t columns, float* out) {
    for (std::int64_t c = 0; c < columns;) {
      const Element* const values = packed + kDepth * c;
      const std::int64_t left = (columns - c) / kSide;
      if (left >= 3 && left != 4) {
        multiply_values_of<3>(weights, keys, values, columns, out + c);
        c += 3 * kSide;
      } else if (left >= 2) {
        multiply_values_of<2>(weights, keys, values, columns, out + c);
        c += 2 * kSide;
      } else {
        multiply_values_of<1>(weights, keys, values, columns, out + c);
        c += kSide;
      }
    }
  }

  /// 2^x. **Errors**: relative below 7.5e-5, an order below bf16's own rounding (minimax polynomial of degree
  /// 3 on [0, 1)).
  static Vector coarse_exp2(Vector x) {
    const Vector f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    Vector p = _mm512_set1_ps(7.8024523e-2F);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.2606716e-1F));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.9583354e-1F));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.9992522e-1F));
    return _mm512_scalef_ps(p, x);  // by 2^floor(x)
  }

  /// weights = 2^(scores scale - reference) for a row of keys, zeros up to the next 32. Returns their sum,
  /// lane by lane.
  static Vector weigh(const float* scores, std::int64_t keys, Vector scale, float reference,
                      Element* weights) {
    const Vector shift = _mm512_set1_ps(-reference);
    const auto weight = [&](const float* at) {
      return coarse_exp2(_mm512_fmadd_ps(_mm512_loadu_ps(at), scale, shift));
    };
    const auto store = [&](std::int64_t key, Vector low, Vector high) {
      _mm512_storeu_si512(weights + key, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
    };
    Vector total = _mm512_setzero_ps(), other = total;
    std::int64_t key = 0;
    for (; key + kDepth <= keys; key += kDepth) {
      const Vector low = weight(scores + key), high = weight(scores + key + kLanes);
      total = total + low, other = other + high;
      store(key, low, high);
    }
    if (key < keys) {
      const __mmask32 mask = first_of_32(keys - key);
      const Vector low = _mm512_maskz_mov_ps(static_cast<__mmask16>(mask), weight(scores + key)),
                   high =
                       _mm512_maskz_mov_ps(static_cast<__mmask16>(mask >> 16), weight(scores + key + kLanes));
      total = total + low, other = other + high;
      store(key, low, high);
    }
    return total + other;
  }

  static float largest(const float* scores, std::int64_t keys) {
    Vector most = _mm512_set1_ps(kLowest);
    over_lanes<Avx512>(keys, [&](std::int64_t k, auto lanes) {
      most = _mm512_max_ps(most, Avx512::blend(_mm512_loadu_ps(scores + k), most, lanes));
    });
    return _mm512_reduce_max_ps(most);
  }

  /// Turns one row of scores into weights relative to `reference`, the largest score of the tile in which it
  /// was last looked for; looks again, and corrects what earlier tiles left, where weights have grown large.
  /// `scale`: in units of log2.
  static void softmax_row(const float* scores, std::int64_t keys, float scale, Element* weights,
                          float& reference, float* sums, float* out, std::int64_t columns) {
    const Vector most = _mm512_set1_ps(1024.0F), factor = _mm512_set1_ps(scale);
    if (reference != kLowest) {
      const Vector total = weigh(scores, keys, factor, reference, weights);
      if (_mm512_cmp_ps_mask(total, most, _CMP_GT_OQ) == 0) {
        _mm512_storeu_ps(sums, _mm512_loadu_ps(sums) + total);
        return;
      }
    }
    const float now = largest(scores, keys) * scale;
    const Vector correction = _mm512_set1_ps(reference == kLowest ? 0.0F : __builtin_exp2f(reference - now));
    reference = now;
    for (std::int64_t c = 0; c < columns; c += kLanes)
      _mm512_storeu_ps(out + c, correction * _mm512_loadu_ps(out + c));
    const Vector total = weigh(scores, keys, factor, reference, weights);
    _mm512_storeu_ps(sums, _mm512_fmadd_ps(_mm512_loadu_ps(sums), correction, total));
  }

  static void attend(const Element* q, const Element* packed_k, const Element* packed_v,
                     const AttentionHead& head, float scale, std::int64_t first, std::int64_t last,
                     Element* out, void* memory) {
    const Sizes sizes(head.width);
    const Scratch s = carve(static_cast<char*>(memory), sizes);
    const float scale_log2 = scale * 1.44269504F;
    const Tiles tiles;

    for (std::int64_t block = first; block < last; block += kBlockRows) {
      const std::int64_t rows = smaller(kBlockRows, last - block);
      load_queries(q + block * head.q_stride, rows, head, sizes.depth, s.queries);
      std::memset(s.out, 0, static_cast<std::size_t>(kBlockRows * sizes.columns) * 4);
      std::memset(s.sums, 0, static_cast<std::size_t>(kBlockRows * kLanes) * 4);
      for (std::int64_t r = 0; r < rows; ++r) s.reference[r] = kLowest;

      for (std::int64_t tile = 0; tile < head.keys; tile += kKeys) {
        const std::int64_t keys = smaller(kKeys, head.keys - tile), padded = round_up(keys, kDepth);
        for (std::int64_t r = 0; r < rows; r += kRows) {
          multiply_keys(s.queries + r * sizes.depth, sizes.depth, packed_k + tile * sizes.depth, padded,
                        s.scores);
          for (std::int64_t i = 0; i < smaller(kRows, rows - r); ++i)
            softmax_row(s.scores + i * kKeys, keys, scale_log2, s.weights + i * kKeys, s.reference[r + i],
                        s.sums + (r + i) * kLanes, s.out + (r + i) * sizes.columns, sizes.columns);
          multiply_values(s.weights, padded, packed_v + tile * sizes.columns, sizes.columns,
                          s.out + r * sizes.columns);
        }
      }

      for (std::int64_t r = 0; r < rows; ++r) {
        const Vector inverse = _mm512_set1_ps(1.0F / Avx512::total(_mm512_loadu_ps(s.sums + r * kLanes)));
        over_lanes<Avx512>(head.width, [&](std::int64_t c, auto lanes) {
          Bf16::store(out + (block + r) * head.out_stride + c,
                      inverse * _mm512_loadu_ps(s.out + r * sizes.columns + c), lanes);
        });
      }
    }
  }

  static constexpr AttentionKernels<Element> kTable{
      1, packed_keys_size, packed_values_size, scratch_bytes, pack_keys, pack_values, attend};
};

}  // namespace
}  // namespace waggle::pipeline::kernels

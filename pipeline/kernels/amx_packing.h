// Queries, keys and values of a head in the order in which AMX's tiles take them.
#pragma once

#include "pipeline/kernels/amx_tiles.h"
#include "pipeline/kernels/attention.h"
#include "pipeline/kernels/format_bf16.h"

namespace waggle::pipeline::kernels {
namespace {

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

/// 16 rows of 16 dwords -> their columns. **Shape**: out: rows of 64 bytes.
inline void transpose(__m512i (&x)[16], bf16_element* out) {
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
    _mm512_storeu_si512(out + kTileDepth * c, _mm512_shuffle_i32x4(low01, low23, 0x88));
    _mm512_storeu_si512(out + kTileDepth * (4 + c), _mm512_shuffle_i32x4(low01, low23, 0xDD));
    _mm512_storeu_si512(out + kTileDepth * (8 + c), _mm512_shuffle_i32x4(high01, high23, 0x88));
    _mm512_storeu_si512(out + kTileDepth * (12 + c), _mm512_shuffle_i32x4(high01, high23, 0xDD));
  }
}

inline __mmask32 first_of_32(std::int64_t n) {
  return n >= kTileDepth ? ~__mmask32{0} : (__mmask32{1} << static_cast<unsigned>(n)) - 1;
}

/// packed: [blocks of 16 keys][chunks of 32 channels][16 pairs of channels][16 keys][2]
inline void pack_keys(const bf16_element* k, const AttentionHead& head, bf16_element* packed) {
  for (std::int64_t first = 0; first < round_up(head.keys, kTileDepth); first += kTileSide)
    for (std::int64_t c = 0; c < head.width; c += kTileDepth, packed += kTileElements) {
      __m512i rows[kTileSide];
      for (std::int64_t i = 0; i < kTileSide; ++i)
        rows[i] = first + i < head.keys ? _mm512_maskz_loadu_epi16(first_of_32(head.width - c),
                                                                   k + (first + i) * head.k_stride + c)
                                        : _mm512_setzero_si512();
      transpose(rows, packed);
    }
}

/// packed: [blocks of 32 keys][tiles of 16 channels][16 pairs of keys][16 channels][2]
inline void pack_values(const bf16_element* v, const AttentionHead& head, bf16_element* packed) {
  for (std::int64_t first = 0; first < head.keys; first += kTileDepth)
    for (std::int64_t c = 0; c < head.width; c += kTileSide)
      for (std::int64_t key = first; key < first + kTileDepth; key += 2, packed += kTileDepth) {
        const bf16_element* rows[2];
        for (std::int64_t d = 0; d < 2; ++d)
          rows[d] = key + d < head.keys ? v + (key + d) * head.v_stride + c : nullptr;
        Bf16::interleave(rows, Avx512::first(head.width - c), packed);
      }
}

/// Rows of whole registers, zeros past the width, and rows of zeros up to a multiple of two tiles.
inline void load_queries(const bf16_element* q, std::int64_t rows, const AttentionHead& head,
                         std::int64_t depth, bf16_element* out) {
  for (std::int64_t r = 0; r < round_up(rows, 2 * kTileSide); ++r)
    for (std::int64_t c = 0; c < depth; c += kTileDepth)
      _mm512_storeu_si512(
          out + r * depth + c,
          r < rows ? _mm512_maskz_loadu_epi16(first_of_32(head.width - c), q + r * head.q_stride + c)
                   : _mm512_setzero_si512());
}

}  // namespace
}  // namespace waggle::pipeline::kernels

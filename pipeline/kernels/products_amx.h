// The kernels of products.h on AMX: 32 rows by 32 columns at a time, whose sums stay in tiles from the first
// number to the last.
#pragma once

#include <initializer_list>

#include "pipeline/kernels/amx_packing.h"
#include "pipeline/kernels/amx_tiles.h"
#include "pipeline/kernels/format_bf16.h"
#include "pipeline/kernels/lane_math.h"
#include "pipeline/kernels/products.h"

namespace waggle::pipeline::kernels {
namespace {

struct ProductsAmx {
  using Element = ProductRows::Element;
  static constexpr std::int64_t kSide = 2 * kTileSide;  // rows and columns at a time

  /// packed: [steps of 32 numbers][left, right][16 pairs of numbers][16 columns][2]
  static void pack(const Element* left, const Element* right, std::int64_t depth, Element* packed) {
    for (std::int64_t d = 0; d < depth; d += kTileDepth)
      for (const Element* const half : {left, right}) {
        __m512i rows[kTileSide];
        for (std::int64_t i = 0; i < kTileSide; ++i) rows[i] = _mm512_loadu_si512(half + i * depth + d);
        transpose(rows, packed);
        packed += kTileElements;
      }
  }

  /// **Shape**: rows [32, depth]; sums [32, 32].
  static void sum(const Element* rows, std::int64_t depth, const Element* packed, float* sums) {
    const std::int64_t stride = 2 * depth;
    const Element* const lower = rows + kTileSide * depth;
    Tiles::zero<0>(), Tiles::zero<1>(), Tiles::zero<2>(), Tiles::zero<3>();
    for (std::int64_t d = 0; d < depth; d += kTileDepth, packed += 2 * kTileElements) {
      Tiles::load<4>(rows + d, stride);
      Tiles::load<6>(packed, 64);
      Tiles::multiply<0, 4, 6>();
      Tiles::load<7>(packed + kTileElements, 64);
      Tiles::multiply<1, 4, 7>();
      Tiles::load<5>(lower + d, stride);
      Tiles::multiply<2, 5, 6>();
      Tiles::multiply<3, 5, 7>();
    }
    constexpr std::int64_t kRow = 4 * kSide;
    Tiles::store<0>(sums, kRow), Tiles::store<1>(sums + kTileSide, kRow);
    sums += kTileSide * kSide;
    Tiles::store<2>(sums, kRow), Tiles::store<3>(sums + kTileSide, kRow);
  }

  /// What is done with sums: `finish(left, right, at)` for each row of them, `at` its place in the result.
  template <class Finish>
  static void multiply_all(const ProductRows& rows, const Element* packed, const float* bias,
                           std::int64_t first, std::int64_t last, std::int64_t columns_of_32,
                           const Finish& finish) {
    alignas(64) float sums[kSide * kSide];
    const Tiles tiles;
    // Few rows meet all columns before the next: they stay in the first cache, the weights in the second.
    for (std::int64_t row = 0; row < rows.count; row += kSide)
      for (std::int64_t column = first; column < last; column += kSide) {
        sum(rows.first + row * rows.depth, rows.depth, packed + column * rows.depth, sums);
        const __m512 zero = _mm512_setzero_ps(),
                     left = bias == nullptr ? zero : _mm512_loadu_ps(bias + column),
                     right = bias == nullptr ? zero : _mm512_loadu_ps(bias + column + kTileSide);
        const std::int64_t count = rows.count - row < kSide ? rows.count - row : kSide;
        for (std::int64_t i = 0; i < count; ++i)
          finish(_mm512_load_ps(sums + i * kSide) + left,
                 _mm512_load_ps(sums + i * kSide + kTileSide) + right,
                 (row + i) * rows.width + column / kSide * columns_of_32);
      }
  }

  static void multiply(const ProductRows& rows, const Element* packed, const float* bias, std::int64_t first,
                       std::int64_t last) {
    constexpr Avx512::All kAll;
    multiply_all(rows, packed, bias, first, last, kSide, [&](__m512 left, __m512 right, std::int64_t at) {
      if (rows.residual != nullptr) {
        left += Bf16::load(rows.residual + at, kAll);
        right += Bf16::load(rows.residual + at + kTileSide, kAll);
      }
      Bf16::store(rows.result + at, left, kAll);
      Bf16::store(rows.result + at + kTileSide, right, kAll);
    });
  }

  static void multiply_gated(const ProductRows& rows, const Element* packed, const float* bias,
                             std::int64_t first, std::int64_t last) {
    multiply_all(rows, packed, bias, first, last, kTileSide, [&](__m512 left, __m512 right, std::int64_t at) {
      Bf16::store(rows.result + at, left * gelu<Avx512>(right), Avx512::All());
    });
  }

  static constexpr ProductKernels kTable{pack, multiply, multiply_gated};
};

}  // namespace
}  // namespace waggle::pipeline::kernels

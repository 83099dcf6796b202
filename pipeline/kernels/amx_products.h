// Both products of attention by AMX's tiles, in steps of 32 keys: whoever has other work, as the softmax of
// other rows, puts it between the steps, and the processor runs both at a time.
#pragma once

#include "pipeline/kernels/amx_tiles.h"

namespace waggle::pipeline::kernels {
namespace {

/// scores = q k^T for 32 queries. **Shape**: queries [32, depth]; keys of a step [2 blocks of 16 keys][depth
/// / 32 tiles]; scores: 32 columns of rows of `stride` numbers. `chunks`: depth / 32 where that is 1 or 2,
/// and the queries stay in registers from begin() on; else 0.
template <int chunks>
struct QueriesByKeys {
  static void begin(const bf16_element* queries) {
    constexpr std::int64_t kRow = 2 * chunks * kTileDepth;
    const bf16_element* const lower = queries + kTileSide * chunks * kTileDepth;
    Tiles::load<4>(queries, kRow), Tiles::load<5>(lower, kRow);
    if constexpr (chunks > 1)
      Tiles::load<6>(queries + kTileDepth, kRow), Tiles::load<7>(lower + kTileDepth, kRow);
  }
  static void step(const bf16_element*, std::int64_t, const bf16_element* keys, float* scores,
                   std::int64_t stride) {
    half<0, 1>(keys, scores, stride);
    half<2, 3>(keys + chunks * kTileElements, scores + kTileSide, stride);
  }

 private:
  template <int upper, int lower>
  static void half(const bf16_element* keys, float* scores, std::int64_t stride) {
    constexpr int kKeys = upper == 0 ? 2 : 0;  // the pair of sums that is not in use
    Tiles::zero<upper>(), Tiles::zero<lower>();
    Tiles::load<kKeys>(keys, 64);
    Tiles::multiply<upper, 4, kKeys>();
    Tiles::multiply<lower, 5, kKeys>();
    if constexpr (chunks > 1) {
      Tiles::load<kKeys + 1>(keys + kTileElements, 64);
      Tiles::multiply<upper, 6, kKeys + 1>();
      Tiles::multiply<lower, 7, kKeys + 1>();
    }
    Tiles::store<upper>(scores, 4 * stride);
    Tiles::store<lower>(scores + kTileSide * stride, 4 * stride);
  }
};

template <>
struct QueriesByKeys<0> {
  static void begin(const bf16_element*) {}
  static void step(const bf16_element* queries, std::int64_t depth, const bf16_element* keys, float* scores,
                   std::int64_t stride) {
    Tiles::zero<0>(), Tiles::zero<1>(), Tiles::zero<2>(), Tiles::zero<3>();
    for (std::int64_t c = 0; c < depth; c += kTileDepth) {
      Tiles::load<4>(queries + c, 2 * depth);
      Tiles::load<6>(keys + kTileSide * c, 64);
      Tiles::multiply<0, 4, 6>();
      Tiles::load<7>(keys + kTileSide * (depth + c), 64);
      Tiles::multiply<1, 4, 7>();
      Tiles::load<5>(queries + kTileSide * depth + c, 2 * depth);
      Tiles::multiply<2, 5, 6>();
      Tiles::multiply<3, 5, 7>();
    }
    Tiles::store<0>(scores, 4 * stride), Tiles::store<1>(scores + kTileSide, 4 * stride);
    scores += kTileSide * stride;
    Tiles::store<2>(scores, 4 * stride), Tiles::store<3>(scores + kTileSide, 4 * stride);
  }
};

/// out += weights . values for 32 queries and `tiles` (1 to 3) times 16 of all columns. **Shape**: weights
/// [32, 32] with `stride` between rows; values of a step: one tile for each 16 columns; out [32, columns].
template <int tiles>
struct WeightsByValues {
  static void begin(const float* out, std::int64_t columns) {
    const std::int64_t stride = 4 * columns;
    const float* const lower = out + kTileSide * columns;
    Tiles::load<0>(out, stride), Tiles::load<3>(lower, stride);
    if constexpr (tiles > 1)
      Tiles::load<1>(out + kTileSide, stride), Tiles::load<4>(lower + kTileSide, stride);
    if constexpr (tiles > 2)
      Tiles::load<2>(out + 2 * kTileSide, stride), Tiles::load<5>(lower + 2 * kTileSide, stride);
  }
  /// There and back over the values: the last that the upper rows used is the first for the lower ones.
  static void step(const bf16_element* weights, std::int64_t stride, const bf16_element* values) {
    Tiles::load<6>(weights, 2 * stride);
    Tiles::load<7>(values, 64);
    Tiles::multiply<0, 6, 7>();
    if constexpr (tiles > 1) Tiles::load<7>(values + kTileElements, 64), Tiles::multiply<1, 6, 7>();
    if constexpr (tiles > 2) Tiles::load<7>(values + 2 * kTileElements, 64), Tiles::multiply<2, 6, 7>();
    Tiles::load<6>(weights + kTileSide * stride, 2 * stride);
    if constexpr (tiles > 2) Tiles::multiply<5, 6, 7>(), Tiles::load<7>(values + kTileElements, 64);
    if constexpr (tiles > 1) Tiles::multiply<4, 6, 7>(), Tiles::load<7>(values, 64);
    Tiles::multiply<3, 6, 7>();
  }
  static void end(float* out, std::int64_t columns) {
    const std::int64_t stride = 4 * columns;
    float* const lower = out + kTileSide * columns;
    Tiles::store<0>(out, stride), Tiles::store<3>(lower, stride);
    if constexpr (tiles > 1)
      Tiles::store<1>(out + kTileSide, stride), Tiles::store<4>(lower + kTileSide, stride);
    if constexpr (tiles > 2)
      Tiles::store<2>(out + 2 * kTileSide, stride), Tiles::store<5>(lower + 2 * kTileSide, stride);
  }
};

}  // namespace
}  // namespace waggle::pipeline::kernels

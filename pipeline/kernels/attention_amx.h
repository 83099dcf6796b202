// The kernels of attention.h for bf16 on AMX: both products by tiles, the softmax between them in AVX-512.
//
// The exponentials take as long as the products, and run between their steps.
#pragma once

#include <cstring>

#include "pipeline/kernels/amx_packing.h"
#include "pipeline/kernels/amx_products.h"
#include "pipeline/kernels/attention.h"
#include "pipeline/kernels/coarse_softmax.h"

namespace waggle::pipeline::kernels {
namespace {

struct AttentionAmx {
  using Element = Bf16::Element;
  using Vector = __m512;
  static constexpr std::int64_t kLanes = Avx512::kLanes, kSide = kTileSide, kDepth = kTileDepth;
  static constexpr std::int64_t kRows = 2 * kSide;  // queries that meet a tile of keys at a time
  static constexpr std::int64_t kBlockRows = 96;    // queries that share keys before the next are fetched
  static constexpr std::int64_t kKeys = 128;        // whose scores exist at a time: they fit the first cache

  static constexpr std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

  /// Sizes of a head in whole tiles.
  struct Sizes {
    std::int64_t depth, columns;  ///< channels as both products want them
    explicit Sizes(std::int64_t width) : depth(round_up(width, kDepth)), columns(round_up(width, kSide)) {}
  };

  /// Per-thread working set of a block of queries.
  struct Scratch {
    Element* queries;  // [kBlockRows, depth], zeros past the width
    float* scores;     // [2, kRows, kKeys]
    Element* weights;  // [2, kRows, kKeys]
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
    take(s.scores, 2 * kRows * kKeys);
    take(s.weights, 2 * kRows * kKeys);
    take(s.out, kBlockRows * sizes.columns);
    take(s.sums, kBlockRows * kLanes);
    take(s.reference, kBlockRows);
    return s;
  }

  static std::size_t scratch_bytes(std::int64_t width) {
    const Sizes sizes(width);
    return static_cast<std::size_t>(kBlockRows * (2 * sizes.depth + 4 * sizes.columns + 4 * kLanes + 4) +
                                    2 * kRows * kKeys * 6 + 6 * 64);
  }
  static std::size_t packed_keys_size(std::int64_t keys, std::int64_t width) {
    return static_cast<std::size_t>(round_up(keys, kDepth) * Sizes(width).depth);
  }
  static std::size_t packed_values_size(std::int64_t keys, std::int64_t width) {
    return static_cast<std::size_t>(round_up(keys, kDepth) * Sizes(width).columns);
  }

  /// 32 queries and a tile of keys: what is multiplied, weighed and multiplied again as one.
  struct Unit {
    const Element *queries, *packed_k, *packed_v;
    std::int64_t rows, keys, steps;  ///< queries, keys, and steps of 32 keys
    float* scores;
    Element* weights;
    float *reference, *sums, *out;
  };

  /// out += weights . values of a unit for all columns from `c` on.
  static void multiply_values(const Unit& u, std::int64_t columns, std::int64_t c) {
    while (c < columns) {
      const std::int64_t left = (columns - c) / kSide;
      if (left >= 3 && left != 4)
        multiply_columns<3>(u, columns, c);
      else if (left >= 2)
        multiply_columns<2>(u, columns, c);
      else
        multiply_columns<1>(u, columns, c);
    }
  }
  template <int tiles>
  static void multiply_columns(const Unit& u, std::int64_t columns, std::int64_t& c) {
    using Product = WeightsByValues<tiles>;
    Product::begin(u.out + c, columns);
    for (std::int64_t i = 0; i < u.steps; ++i)
      Product::step(u.weights + i * kDepth, kKeys, u.packed_v + (i * columns + c) * kDepth);
    Product::end(u.out + c, columns);
    c += tiles * kSide;
  }

  /// One block of queries. The softmax of a unit runs between the steps of two products: the values of the
  /// unit before it, the scores of the one after it.
  template <int chunks, int tiles>
  static void attend_block(const Scratch& s, const Sizes& sizes, std::int64_t rows, std::int64_t keys,
                           const Element* packed_k, const Element* packed_v, float scale_log2) {
    using Scores = QueriesByKeys<chunks>;
    using Values = WeightsByValues<tiles>;
    constexpr std::int64_t kSteps = kKeys / kDepth, kRowsOfStep = kRows / 2 / kSteps;
    const std::int64_t across = (rows + kRows - 1) / kRows, count = across * ((keys + kKeys - 1) / kKeys);
    const auto unit = [&](std::int64_t i) {
      const std::int64_t row = i % across * kRows, key = i / across * kKeys, buffer = i % 2 * kRows * kKeys;
      const std::int64_t now = smaller(kKeys, keys - key);
      return Unit{s.queries + row * sizes.depth,
                  packed_k + key * sizes.depth,
                  packed_v + key * sizes.columns,
                  smaller(kRows, rows - row),
                  now,
                  (now + kDepth - 1) / kDepth,
                  s.scores + buffer,
                  s.weights + buffer,
                  s.reference + row,
                  s.sums + row * kLanes,
                  s.out + row * sizes.columns};
    };
    const auto softmax = [&](const Unit& u, std::int64_t first) {
      for (std::int64_t r = first; r < smaller(first + kRowsOfStep, u.rows); ++r)
        softmax_row(u.scores + r * kKeys, u.keys, scale_log2, u.weights + r * kKeys, u.reference[r],
                    u.sums + r * kLanes, u.out + r * sizes.columns, sizes.columns);
    };
    const auto score = [&](const Unit& u, std::int64_t step) {
      Scores::step(u.queries, sizes.depth, u.packed_k + step * kDepth * sizes.depth, u.scores + step * kDepth,
                   kKeys);
    };

    const Unit first = unit(0);
    Scores::begin(first.queries);
    for (std::int64_t step = 0; step < first.steps; ++step) score(first, step);
    for (std::int64_t i = 0; i < count; ++i) {
      const Unit now = unit(i), before = unit(i == 0 ? 0 : i - 1), after = unit(smaller(i + 1, count - 1));
      // A unit corrects what earlier ones of the same rows left: that must lie in memory then.
      const bool beside = i > 0 && across > 1;
      if (i > 0 && !beside) multiply_values(before, sizes.columns, 0);
      if (beside) Values::begin(before.out, sizes.columns);
      for (std::int64_t step = 0; step < kSteps; ++step) {
        softmax(now, step * kRowsOfStep);
        if (beside && step < before.steps)
          Values::step(before.weights + step * kDepth, kKeys,
                       before.packed_v + step * sizes.columns * kDepth);
      }
      if (beside) {
        Values::end(before.out, sizes.columns);
        multiply_values(before, sizes.columns, tiles * kSide);
      }
      const bool more = i + 1 < count;
      if (more) Scores::begin(after.queries);
      for (std::int64_t step = 0; step < kSteps; ++step) {
        softmax(now, kRows / 2 + step * kRowsOfStep);
        if (more && step < after.steps) score(after, step);
      }
    }
    multiply_values(unit(count - 1), sizes.columns, 0);
  }

  using Block = decltype(&attend_block<0, 1>);
  /// The instance for a head.
  static Block block_for(const Sizes& sizes) {
    static constexpr Block kBlocks[3][3] = {
        {attend_block<0, 1>, attend_block<0, 2>, attend_block<0, 3>},
        {attend_block<1, 1>, attend_block<1, 2>, attend_block<1, 3>},
        {attend_block<2, 1>, attend_block<2, 2>, attend_block<2, 3>},
    };
    const std::int64_t chunks = sizes.depth / kDepth, tiles = sizes.columns / kSide;
    return kBlocks[chunks <= 2 ? chunks : 0][tiles == 4 ? 1 : smaller(tiles, 3) - 1];
  }

  static void attend(const Element* q, const Element* packed_k, const Element* packed_v,
                     const AttentionHead& head, float scale, std::int64_t first, std::int64_t last,
                     Element* out, void* memory) {
    const Sizes sizes(head.width);
    const Scratch s = carve(static_cast<char*>(memory), sizes);
    const Block attend_to_all = block_for(sizes);
    const Tiles tiles;

    for (std::int64_t block = first; block < last; block += kBlockRows) {
      const std::int64_t rows = smaller(kBlockRows, last - block);
      load_queries(q + block * head.q_stride, rows, head, sizes.depth, s.queries);
      std::memset(s.out, 0, static_cast<std::size_t>(kBlockRows * sizes.columns) * 4);
      std::memset(s.sums, 0, static_cast<std::size_t>(kBlockRows * kLanes) * 4);
      for (std::int64_t r = 0; r < rows; ++r) s.reference[r] = kNoReference;
      attend_to_all(s, sizes, rows, head.keys, packed_k, packed_v, scale * 1.44269504F);
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

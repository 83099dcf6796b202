// The kernels of attention.h, written once for every Format (formats.h). Included by files compiled for one
// processor.
#pragma once

#include <cstring>

#include "pipeline/kernels/attention.h"
#include "pipeline/kernels/lane_math.h"
#include "pipeline/kernels/small_product.h"

namespace waggle::pipeline::kernels {
namespace {

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }
constexpr std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

template <class Format>
struct AttentionOf {
  using Lanes = typename Format::Lanes;
  using All = typename Lanes::All;
  using Element = typename Format::Element;
  using Vector = typename Lanes::Vector;
  static constexpr std::int64_t kLanes = Lanes::kLanes, kDepth = Format::kDepth, kTile = Format::kTile;
  static constexpr std::int64_t kRows = kProductRows;
  static constexpr std::int64_t kBlockRows = 48;  // queries that share a tile before the next one is fetched
  static constexpr std::int64_t kElement = sizeof(Element);
  static constexpr float kLowest = -__builtin_inff();

  /// Per-thread working set of a block of queries.
  struct Scratch {
    float* scores;     // [kRows, kTile]
    Element* weights;  // [kRows, kTile]
    float* out;        // [kBlockRows, width in whole registers]
    float* maximum;    // [kBlockRows]
    float* sum;        // [kBlockRows]
  };

  static Scratch carve(void* memory, std::int64_t width) {
    char* at = static_cast<char*>(memory);
    const auto take = [&](std::int64_t bytes) {
      char* here = at;
      at += round_up(bytes, 64);
      return here;
    };
    Scratch s{};
    s.scores = reinterpret_cast<float*>(take(kRows * kTile * 4));
    s.weights = reinterpret_cast<Element*>(take(kRows * kTile * kElement));
    s.out = reinterpret_cast<float*>(take(kBlockRows * round_up(width, kLanes) * 4));
    s.maximum = reinterpret_cast<float*>(take(kBlockRows * 4));
    s.sum = reinterpret_cast<float*>(take(kBlockRows * 4));
    return s;
  }

  static std::size_t scratch_bytes(std::int64_t width) {
    return static_cast<std::size_t>(kRows * kTile * (4 + kElement) +
                                    kBlockRows * round_up(width, kLanes) * 4 + 2 * kBlockRows * 4 + 5 * 64);
  }
  static std::size_t packed_keys_size(std::int64_t keys, std::int64_t width) {
    return static_cast<std::size_t>(round_up(keys, kLanes) * width);
  }
  static std::size_t packed_values_size(std::int64_t keys, std::int64_t width) {
    return static_cast<std::size_t>(round_up(keys, kLanes) * round_up(width, kLanes));
  }

  static void pack_keys(const Element* k, const AttentionHead& head, Element* packed) {
    for (std::int64_t first = 0; first < head.keys; first += kLanes) {
      Element* block = packed + first * head.width;  // [steps][kLanes keys][kDepth]
      for (std::int64_t key = 0; key < kLanes; ++key)
        for (std::int64_t i = 0; i < head.width / kDepth; ++i) {
          Element* cell = block + (i * kLanes + key) * kDepth;
          if (first + key < head.keys)
            std::memcpy(cell, k + (first + key) * head.k_stride + kDepth * i, sizeof(Element) * kDepth);
          else
            std::memset(cell, 0, sizeof(Element) * kDepth);
        }
    }
  }

  static void pack_values(const Element* v, const AttentionHead& head, Element* packed) {
    const std::int64_t padded = round_up(head.keys, kLanes);
    for (std::int64_t key = 0; key < padded; key += kDepth)
      for (std::int64_t c = 0; c < head.width; c += kLanes) {
        const Element* rows[kDepth];
        for (std::int64_t d = 0; d < kDepth; ++d)
          rows[d] = key + d < head.keys ? v + (key + d) * head.v_stride + c : nullptr;
        Format::interleave(rows, Lanes::first(head.width - c), packed);
        packed += kLanes * kDepth;  // [steps][vectors][kLanes][kDepth]
      }
  }

  /// Turns one row of scores into weights relative to the new maximum; corrects what earlier tiles left.
  /// `scale`: in units of log2, so that exp2 needs no further factor.
  static void softmax_row(const float* scores, std::int64_t keys, float scale, Element* weights,
                          float& maximum, float& sum, float* out, std::int64_t out_width) {
    Vector largest = Lanes::set(kLowest);
    over_lanes<Lanes>(keys, [&](std::int64_t k, auto lanes) {
      largest = Lanes::max(largest, Lanes::blend(Lanes::load(scores + k, All{}), largest, lanes));
    });
    const float tile_maximum = Lanes::largest(largest) * scale;
    const float now = maximum > tile_maximum ? maximum : tile_maximum;
    const Vector shift = Lanes::set(-now), factor = Lanes::set(scale), zero = Lanes::set(0.0F);
    Vector total = zero;
    over_lanes<Lanes>(keys, [&](std::int64_t k, auto lanes) {
      const Vector p = exp2<Lanes>(Lanes::fma(Lanes::load(scores + k, All{}), factor, shift));
      const Vector kept = Lanes::blend(p, zero, lanes);
      total = total + kept;
      Format::store(weights + k, kept, All{});
    });
    if (now != maximum) {
      const float correction = maximum == kLowest ? 0.0F : __builtin_exp2f(maximum - now);
      sum *= correction;
      const Vector c = Lanes::set(correction);
      for (std::int64_t v = 0; v < out_width; v += kLanes)
        Lanes::store(out + v, c * Lanes::load(out + v, All{}), All{});
      maximum = now;
    }
    sum += Lanes::total(total);
  }

  static void attend(const Element* q, const Element* packed_k, const Element* packed_v,
                     const AttentionHead& head, float scale, std::int64_t first, std::int64_t last,
                     Element* out, void* memory) {
    const Scratch s = carve(memory, head.width);
    const std::int64_t out_width = round_up(head.width, kLanes);
    const float scale_log2 = scale * 1.44269504F;

    for (std::int64_t block = first; block < last; block += kBlockRows) {
      const std::int64_t block_rows = smaller(kBlockRows, last - block);
      for (std::int64_t i = 0; i < block_rows * out_width; ++i) s.out[i] = 0.0F;
      for (std::int64_t r = 0; r < block_rows; ++r) s.maximum[r] = kLowest, s.sum[r] = 0.0F;

      for (std::int64_t tile = 0; tile < head.keys; tile += kTile) {
        const std::int64_t keys = smaller(kTile, head.keys - tile), padded = round_up(keys, kLanes);
        for (std::int64_t r = 0; r < block_rows; r += kRows) {
          const std::int64_t rows = smaller(kRows, block_rows - r);
          multiply_all<Format>(
              rows, padded / kLanes,
              {q + (block + r) * head.q_stride, head.q_stride, packed_k + tile * head.width,
               kLanes * head.width, kLanes * kDepth, head.width / kDepth, s.scores, kTile, false});
          for (std::int64_t i = 0; i < rows; ++i)
            softmax_row(s.scores + i * kTile, keys, scale_log2, s.weights + i * kTile, s.maximum[r + i],
                        s.sum[r + i], s.out + (r + i) * out_width, out_width);
          multiply_all<Format>(rows, out_width / kLanes,
                               {s.weights, kTile, packed_v + tile * out_width, kLanes * kDepth,
                                out_width * kDepth, padded / kDepth, s.out + r * out_width, out_width, true});
        }
      }

      for (std::int64_t r = 0; r < block_rows; ++r) {
        const Vector inverse = Lanes::set(1.0F / s.sum[r]);
        over_lanes<Lanes>(head.width, [&](std::int64_t c, auto lanes) {
          Format::store(out + (block + r) * head.out_stride + c,
                        inverse * Lanes::load(s.out + r * out_width + c, All{}), lanes);
        });
      }
    }
  }

  static constexpr AttentionKernels<Element> kTable{
      kDepth, packed_keys_size, packed_values_size, scratch_bytes, pack_keys, pack_values, attend};
};

}  // namespace
}  // namespace waggle::pipeline::kernels

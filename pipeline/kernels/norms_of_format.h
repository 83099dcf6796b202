// The kernels of norms.h, written once for every Format (formats.h). Included by files compiled for one
// processor.
#pragma once

#include "pipeline/kernels/lane_math.h"
#include "pipeline/kernels/norms.h"

namespace waggle::pipeline::kernels {
namespace {

template <class Format>
struct NormsOf {
  using Lanes = typename Format::Lanes;
  using Element = typename Format::Element;
  using Vector = typename Lanes::Vector;

  static void channel_sums(const Element* x, std::int64_t rows, std::int64_t channels, double* sum,
                           double* square) {
    constexpr std::int64_t kChunk = 64;  // rows whose sum fp32 carries without visible loss
    over_lanes<Lanes>(channels, [&](std::int64_t c, auto lanes) {
      alignas(64) float part[Lanes::kLanes], part_square[Lanes::kLanes];
      for (std::int64_t first = 0; first < rows; first += kChunk) {
        const std::int64_t last = first + kChunk < rows ? first + kChunk : rows;
        Vector s = Lanes::set(0.0F), s2 = s;
        for (std::int64_t r = first; r < last; ++r) {
          const Vector v = Format::load(x + r * channels + c, lanes);
          s = s + v;
          s2 = Lanes::fma(v, v, s2);
        }
        Lanes::store(part, s, typename Lanes::All{});
        Lanes::store(part_square, s2, typename Lanes::All{});
        for (std::int64_t i = 0; i < Lanes::kLanes && c + i < channels; ++i) {
          sum[c + i] += static_cast<double>(part[i]);
          square[c + i] += static_cast<double>(part_square[i]);
        }
      }
    });
  }

  static void scale_shift(const Element* x, std::int64_t rows, std::int64_t channels, const float* scale,
                          const float* shift, bool with_silu, Element* y) {
    for (std::int64_t r = 0; r < rows; ++r, x += channels, y += channels)
      over_lanes<Lanes>(channels, [&](std::int64_t c, auto lanes) {
        const Vector v = Lanes::fma(Format::load(x + c, lanes), Lanes::load(scale + c, lanes),
                                    Lanes::load(shift + c, lanes));
        Format::store(y + c, with_silu ? silu<Format>(v) : v, lanes);
      });
  }

  static void layer_norm(const Element* x, std::int64_t rows, std::int64_t width, const float* weight,
                         const float* bias, float eps, Element* y) {
    const Vector zero = Lanes::set(0.0F);
    for (std::int64_t r = 0; r < rows; ++r, x += width, y += width) {
      Vector s = zero;
      over_lanes<Lanes>(width, [&](std::int64_t c, auto lanes) { s = s + Format::load(x + c, lanes); });
      const Vector mean = Lanes::set(Lanes::total(s) / static_cast<float>(width));
      Vector s2 = zero;  // around the mean: no cancellation
      over_lanes<Lanes>(width, [&](std::int64_t c, auto lanes) {
        const Vector d = Lanes::blend(Format::load(x + c, lanes) - mean, zero, lanes);
        s2 = Lanes::fma(d, d, s2);
      });
      const float variance = Lanes::total(s2) / static_cast<float>(width);
      const Vector inverse = Lanes::set(1.0F / __builtin_sqrtf(variance + eps));
      over_lanes<Lanes>(width, [&](std::int64_t c, auto lanes) {
        const Vector d = (Format::load(x + c, lanes) - mean) * inverse;
        Format::store(y + c, Lanes::fma(d, Lanes::load(weight + c, lanes), Lanes::load(bias + c, lanes)),
                      lanes);
      });
    }
  }

  static void geglu(const Element* x, std::int64_t rows, std::int64_t width, Element* y) {
    for (std::int64_t r = 0; r < rows; ++r, x += 2 * width, y += width)
      over_lanes<Lanes>(width, [&](std::int64_t c, auto lanes) {
        Format::store(y + c, Format::load(x + c, lanes) * gelu<Lanes>(Format::load(x + width + c, lanes)),
                      lanes);
      });
  }

  static constexpr NormKernels<Element> kTable{channel_sums, scale_shift, layer_norm, geglu};
};

}  // namespace
}  // namespace waggle::pipeline::kernels

// The one micro-kernel of both products of attention, for any Format: six rows of sums that stay in
// registers.
#pragma once

#include <cstdint>

namespace waggle::pipeline::kernels {
namespace {

/// out[rows, lanes * vectors] (+)= a[rows, depth * steps] . b[steps, lanes * vectors, depth]. **Shape**:
/// `b_vector`, `b_step`: elements between neighbouring vectors and steps of b.
template <class Element>
struct SmallProduct {
  const Element* a;
  std::int64_t a_stride;
  const Element* b;
  std::int64_t b_vector, b_step, steps;
  float* out;
  std::int64_t out_stride;
  bool accumulate;
};

template <class Format, int rows, int vectors>
void multiply(const SmallProduct<typename Format::Element>& p) {
  using Lanes = typename Format::Lanes;
  constexpr typename Lanes::All kAll{};
  typename Lanes::Vector sums[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v)
      sums[r][v] =
          p.accumulate ? Lanes::load(p.out + r * p.out_stride + v * Lanes::kLanes, kAll) : Lanes::set(0.0F);
  for (std::int64_t i = 0; i < p.steps; ++i) {
    typename Format::Operand columns[vectors];
    for (int v = 0; v < vectors; ++v) columns[v] = Format::operand(p.b + v * p.b_vector + i * p.b_step);
    for (int r = 0; r < rows; ++r) {
      const auto row = Format::spread(p.a + r * p.a_stride + Format::kDepth * i);
      for (int v = 0; v < vectors; ++v) sums[r][v] = Format::multiply_add(row, columns[v], sums[r][v]);
    }
  }
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v)
      Lanes::store(p.out + r * p.out_stride + v * Lanes::kLanes, sums[r][v], kAll);
}

/// The instance for these numbers, counted down from the largest at compile time.
template <class Format, int rows, int vectors>
void multiply_at_most(const SmallProduct<typename Format::Element>& p, std::int64_t wanted_rows,
                      std::int64_t wanted_vectors) {
  if constexpr (rows > 1)
    if (wanted_rows < rows)
      return multiply_at_most<Format, rows - 1, vectors>(p, wanted_rows, wanted_vectors);
  if constexpr (vectors > 1)
    if (wanted_vectors < vectors)
      return multiply_at_most<Format, rows, vectors - 1>(p, wanted_rows, wanted_vectors);
  multiply<Format, rows, vectors>(p);
}

inline constexpr int kProductRows = 6;

/// Any number of vectors, in pieces of nearly the same size that fit the registers.
template <class Format>
void multiply_all(std::int64_t rows, std::int64_t vectors, SmallProduct<typename Format::Element> p) {
  using Lanes = typename Format::Lanes;
  for (std::int64_t pieces = (vectors + Lanes::kVectors - 1) / Lanes::kVectors; pieces > 0; --pieces) {
    const std::int64_t now = (vectors + pieces - 1) / pieces;
    multiply_at_most<Format, kProductRows, Lanes::kVectors>(p, rows, now);
    p.b += now * p.b_vector;
    p.out += now * Lanes::kLanes;
    vectors -= now;
  }
}

}  // namespace
}  // namespace waggle::pipeline::kernels

// How numbers lie in memory, for kernels whose arithmetic is fp32: what they read, write and multiply.
//
// A Format names its Element and its Lanes, loads and stores with a mask or All{}, and for the products of
// attention says how many elements along the depth meet in one instruction (kDepth).
#pragma once

#include <cstdint>
#include <cstring>

namespace waggle::pipeline::kernels {
namespace {

/// fp32 as it is.
template <class L>
struct Fp32 {
  using Lanes = L;
  using Element = float;
  using Vector = typename L::Vector;
  static constexpr int kDepth = 1;
  /// Keys whose scores exist at a time: with heads of 40 their keys and values fit the first cache.
  static constexpr std::int64_t kTile = 128;

  template <class Mask>
  static Vector load(const float* p, Mask mask) {
    return L::load(p, mask);
  }
  template <class Mask>
  static void store(float* p, Vector x, Mask mask) {
    L::store(p, x, mask);
  }
  static Vector reciprocal(Vector x) { return L::set(1.0F) / x; }

  using Operand = Vector;
  static Operand operand(const float* p) { return L::load(p, typename L::All{}); }
  static Operand spread(const float* p) { return L::set(*p); }
  static Vector multiply_add(Operand a, Operand b, Vector sum) { return L::fma(a, b, sum); }
  /// kDepth rows side by side, element by element; a null row is zeros.
  static void interleave(const float* const* rows, typename L::Mask mask, float* out) {
    L::store(out, rows[0] == nullptr ? L::set(0.0F) : L::load(rows[0], mask), typename L::All{});
  }
};

}  // namespace
}  // namespace waggle::pipeline::kernels

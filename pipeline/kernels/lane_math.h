// Exponential, SiLU and GELU over the lanes of any register (lanes_avx512.h, lanes_avx2.h), and the loop over
// a row that does not fill its last one.
#pragma once

#include <cstdint>

namespace waggle::pipeline::kernels {
namespace {

/// body(c, mask) for each register of a row of n numbers; the last one may be partly filled.
template <class Lanes, class Body>
inline void over_lanes(std::int64_t n, const Body& body) {
  std::int64_t c = 0;
  for (; c + Lanes::kLanes <= n; c += Lanes::kLanes) body(c, typename Lanes::All{});
  if (c < n) body(c, Lanes::first(n - c));
}

/// 2^x. **Range**: any; underflows to 0, overflows to infinity. **Errors**: relative below 3e-7 (minimax
/// polynomial of degree 5 on [-0.5, 0.5]).
template <class Lanes>
inline typename Lanes::Vector exp2(typename Lanes::Vector x) {
  const auto whole = Lanes::round(x);
  const auto f = x - whole;
  auto p = Lanes::set(1.3333558e-3F);
  p = Lanes::fma(p, f, Lanes::set(9.6181291e-3F));
  p = Lanes::fma(p, f, Lanes::set(5.5504109e-2F));
  p = Lanes::fma(p, f, Lanes::set(2.4022651e-1F));
  p = Lanes::fma(p, f, Lanes::set(6.9314718e-1F));
  p = Lanes::fma(p, f, Lanes::set(1.0F));
  return Lanes::scale(p, whole);
}

template <class Lanes>
inline typename Lanes::Vector exp(typename Lanes::Vector x) {
  return exp2<Lanes>(x * Lanes::set(1.44269504F));
}

/// x * sigmoid(x). `Format` says how exact its reciprocal is.
template <class Format>
inline auto silu(typename Format::Lanes::Vector x) {
  using Lanes = typename Format::Lanes;
  return x * Format::reciprocal(exp<Lanes>(Lanes::set(0.0F) - x) + Lanes::set(1.0F));
}

/// Exact GELU, x/2 (1 + erf(x/sqrt(2))). **Errors**: erf absolute below 3e-7 (Abramowitz and Stegun 7.1.26);
/// below zero 1 + erf is the series itself, without cancellation.
template <class Lanes>
inline typename Lanes::Vector gelu(typename Lanes::Vector x) {
  const auto one = Lanes::set(1.0F);
  const auto z = Lanes::abs(x) * Lanes::set(0.70710678F);
  const auto t = one / Lanes::fma(z, Lanes::set(0.3275911F), one);
  auto p = Lanes::set(1.061405429F);
  p = Lanes::fma(p, t, Lanes::set(-1.453152027F));
  p = Lanes::fma(p, t, Lanes::set(1.421413741F));
  p = Lanes::fma(p, t, Lanes::set(-0.284496736F));
  p = Lanes::fma(p, t, Lanes::set(0.254829592F));
  const auto tail = p * t * exp<Lanes>(Lanes::set(0.0F) - z * z);  // 1 - erf(z)
  return Lanes::set(0.5F) * x * Lanes::where_negative(x, tail, Lanes::set(2.0F) - tail);
}

}  // namespace
}  // namespace waggle::pipeline::kernels

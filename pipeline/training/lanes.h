// Sixteen lanes of fp32 that a kernel computes in, between bf16 in memory: the compiler's own vector type,
// which is one register with AVX-512 and several without. Included by the training kernels alone.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

// Each kernel is compiled for three processors; the right one is chosen when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WAGGLE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WAGGLE_CLONES
#endif
// A helper must become part of the kernel that calls it, or it would be compiled for the least of them.
#define WAGGLE_INLINE __attribute__((always_inline)) inline

namespace waggle::training {

inline constexpr std::int64_t kLanes = 16;

using Lanes = float __attribute__((vector_size(64)));
using LaneBits = std::uint32_t __attribute__((vector_size(64)));
using LaneInts = std::int32_t __attribute__((vector_size(64)));
using HalfBits = std::uint16_t __attribute__((vector_size(32)));

WAGGLE_INLINE Lanes load(const float* from) {
  Lanes x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
WAGGLE_INLINE void store(float* to, Lanes x) { std::memcpy(to, &x, sizeof x); }

WAGGLE_INLINE Lanes load_bf16(const std::uint16_t* from) {
  HalfBits half;
  std::memcpy(&half, from, sizeof half);
  return std::bit_cast<Lanes>(__builtin_convertvector(half, LaneBits) << 16);
}
/// Rounds to nearest even.
WAGGLE_INLINE void store_bf16(std::uint16_t* to, Lanes x) {
  const auto bits = std::bit_cast<LaneBits>(x);
  const HalfBits half = __builtin_convertvector((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16, HalfBits);
  std::memcpy(to, &half, sizeof half);
}

/// e^x as 2^n times a polynomial over one binade. Relative error below 1e-6; clamped to 2^+-126.
WAGGLE_INLINE Lanes exp_of(Lanes x) {
  Lanes t = x * 1.44269504F;
  t = t > 126.0F ? Lanes{} + 126.0F : t;
  t = t < -126.0F ? Lanes{} - 126.0F : t;
  const Lanes whole = (t + 12582912.0F) - 12582912.0F;  // adding 1.5 * 2^23 leaves the nearest whole number
  const Lanes f = t - whole;
  Lanes p = f * 1.3333558e-3F + 9.6181291e-3F;
  p = p * f + 5.5504109e-2F;
  p = p * f + 2.4022651e-1F;
  p = p * f + 6.9314718e-1F;
  p = p * f + 1.0F;
  const LaneInts exponent = (__builtin_convertvector(whole, LaneInts) + 127) << 23;
  return p * std::bit_cast<Lanes>(exponent);
}

WAGGLE_INLINE Lanes sigmoid(Lanes x) { return 1.0F / (1.0F + exp_of(-x)); }

/// The normal distribution's integral, (1 + erf(x/sqrt(2))) / 2, from e^(-x^2/2) (Abramowitz and Stegun
/// 7.1.26: absolute error below 1e-6).
WAGGLE_INLINE Lanes normal_integral(Lanes x, Lanes bell) {
  const Lanes size = x < 0.0F ? -x : x;
  const Lanes t = 1.0F / (1.0F + 0.3275911F * 0.70710678F * size);
  Lanes p = t * 1.061405429F - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const Lanes tail = 0.5F * p * t * bell;
  return x < 0.0F ? tail : 1.0F - tail;
}

}  // namespace waggle::training

// The training kernels beside their definitions in double precision, gradients beside differences.
#include <bit>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/training/fused_geglu_kernels.h"
#include "pipeline/training/fused_norm_kernels.h"

namespace waggle::training {
namespace {

using Bits = std::vector<std::uint16_t>;
using Numbers = std::vector<double>;

double wide(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

Bits random_bits(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal(0.3F, 1.5F);
  Bits out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(normal(generator)) >> 16));
  return out;
}

Numbers numbers(const Bits& bits) {
  Numbers out;
  for (const auto b : bits) out.push_back(wide(b));
  return out;
}

/// d(sum of y * dy) / dx[i] by a central difference.
double difference(const std::function<Numbers(const Numbers&)>& f, Numbers x, const Numbers& dy,
                  std::size_t i) {
  constexpr double kStep = 1e-5;
  const auto total = [&](double shift) {
    Numbers moved = x;
    moved[i] += shift;
    const Numbers y = f(moved);
    double sum = 0;
    for (std::size_t k = 0; k < y.size(); ++k) sum += y[k] * dy[k];
    return sum;
  };
  return (total(kStep) - total(-kStep)) / (2 * kStep);
}

Numbers group_norm(const NormShape& s, const Numbers& x, const Numbers& weight, const Numbers& bias) {
  Numbers y(x.size());
  const std::int64_t width = s.channels / s.groups;
  for (std::int64_t n = 0; n < s.batch; ++n)
    for (std::int64_t g = 0; g < s.groups; ++g) {
      const auto each = [&](const std::function<void(std::size_t at, std::size_t channel)>& visit) {
        for (std::int64_t p = 0; p < s.pixels; ++p)
          for (std::int64_t c = g * width; c < (g + 1) * width; ++c)
            visit(static_cast<std::size_t>((n * s.pixels + p) * s.channels + c), static_cast<std::size_t>(c));
      };
      const auto count = static_cast<double>(s.pixels * width);
      double mean = 0, variance = 0;
      each([&](std::size_t at, std::size_t) { mean += x[at] / count; });
      each([&](std::size_t at, std::size_t) { variance += (x[at] - mean) * (x[at] - mean) / count; });
      each([&](std::size_t at, std::size_t c) {
        const double z = (x[at] - mean) / std::sqrt(variance + s.eps) * weight[c] + bias[c];
        y[at] = s.silu ? z / (1 + std::exp(-z)) : z;
      });
    }
  return y;
}

Numbers geglu(const Numbers& x, std::size_t width) {
  Numbers y;
  for (std::size_t row = 0; row < x.size(); row += 2 * width)
    for (std::size_t c = 0; c < width; ++c) {
      const double gate = x[row + width + c];
      y.push_back(x[row + c] * gate * 0.5 * (1 + std::erf(gate / std::sqrt(2.0))));
    }
  return y;
}

/// bf16 carries eight bits.
bool near(double got, double wanted) { return std::abs(got - wanted) <= 0.006 * std::abs(wanted) + 0.004; }

TEST_CASE("fused norm: output and gradients are those of its definition") {
  const bool silu = GENERATE(false, true);
  const NormShape shape{2, 12, 32, GENERATE(2, 16), 1e-5, silu};
  const Bits x = random_bits(2 * 12 * 32, 1), dy = random_bits(2 * 12 * 32, 2);
  std::vector<float> weight, bias;
  for (int c = 0; c < 32; ++c)
    weight.push_back(0.7F + 0.03F * static_cast<float>(c)), bias.push_back(0.01F * static_cast<float>(c));
  const Numbers w(weight.begin(), weight.end()), b(bias.begin(), bias.end()), gradient = numbers(dy);

  Bits y(x.size()), dx(x.size());
  std::vector<float> mean(static_cast<std::size_t>(2 * shape.groups)), rstd(mean.size()), dw(32), db(32);
  group_norm_forward(shape, x.data(), weight.data(), bias.data(), y.data(), mean.data(), rstd.data());
  group_norm_backward(shape, x.data(), dy.data(), weight.data(), bias.data(), mean.data(), rstd.data(),
                      dx.data(), dw.data(), db.data());

  const Numbers wanted = group_norm(shape, numbers(x), w, b);
  for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(near(wide(y[i]), wanted[i]));
  for (std::size_t i = 0; i < x.size(); i += 37)
    REQUIRE(near(wide(dx[i]), difference([&](const Numbers& v) { return group_norm(shape, v, w, b); },
                                         numbers(x), gradient, i)));
  for (std::size_t c = 0; c < 32; c += 5) {
    REQUIRE(near(dw[c], difference([&](const Numbers& v) { return group_norm(shape, numbers(x), v, b); }, w,
                                   gradient, c)));
    REQUIRE(near(db[c], difference([&](const Numbers& v) { return group_norm(shape, numbers(x), w, v); }, b,
                                   gradient, c)));
  }
}

TEST_CASE("fused geglu: output and gradient are those of its definition, far from zero too") {
  constexpr std::size_t kWidth = 32, kRows = 5;
  Bits x = random_bits(kRows * 2 * kWidth, 3);
  x[kWidth] = 0x41A0;      // 20
  x[kWidth + 1] = 0xC1A0;  // -20
  const Bits dy = random_bits(kRows * kWidth, 4);
  Bits y(kRows * kWidth), dx(x.size());
  geglu_forward(kRows, kWidth, x.data(), y.data());
  geglu_backward(kRows, kWidth, x.data(), dy.data(), dx.data());
  const Numbers wanted = geglu(numbers(x), kWidth);
  for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(near(wide(y[i]), wanted[i]));
  for (std::size_t i = 0; i < x.size(); ++i)
    REQUIRE(near(wide(dx[i]),
                 difference([](const Numbers& v) { return geglu(v, kWidth); }, numbers(x), numbers(dy), i)));
}

}  // namespace
}  // namespace waggle::training

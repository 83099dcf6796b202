// Matrix products and copies at their best.
#include "tests/pipeline/bench/ceilings.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include <ATen/ATen.h>

#include "pipeline/ops/fast.h"
#include "pipeline/ops/ops.h"

namespace waggle::bench {
namespace {

namespace ops = pipeline::ops;

using Clock = std::chrono::steady_clock;

/// The best of several runs: a ceiling is what the machine can do, not what it does on average.
template <class Call>
double best_seconds(int runs, const Call& call) {
  double best = 1e9;
  call();
  for (int i = 0; i < runs; ++i) {
    const auto begin = Clock::now();
    call();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

/// Those whose products may be the fastest; AMX's are the ones for linear layers, the others oneDNN's or
/// BLAS's.
std::vector<std::shared_ptr<const ops::Operations>> implementations(at::ScalarType type) {
  std::vector<std::shared_ptr<const ops::Operations>> all;
  if (type == at::kFloat)
    all = {ops::reference_operations(at::kCPU, at::kFloat), ops::avx512_operations(), ops::avx2_operations()};
  else
    all = {ops::amx_bf16_operations(), ops::avx512_bf16_operations()};
  std::erase(all, nullptr);
  if (all.empty()) all.push_back(ops::reference_operations(at::kCPU, type));
  return all;
}

std::int64_t side_of(at::ScalarType type) { return type == at::kFloat ? 2048 : 4096; }

double gflop(std::int64_t side) {
  const auto n = static_cast<double>(side);
  return 2e-9 * n * n * n;
}

double best_product_gflops(at::ScalarType type) {
  const std::int64_t side = side_of(type);
  const at::Tensor w = at::randn({side, side}), input = at::randn({side, side}).to(type);
  double most = 0;
  for (const auto& operations : implementations(type)) {
    const auto linear = operations->linear(w, {});
    most = std::max(most, gflop(side) / best_seconds(5, [&] { linear->forward(input, {}); }));
  }
  return most;
}

}  // namespace

Products::Products(at::ScalarType type) : side_(side_of(type)), input_(at::randn({side_, side_}).to(type)) {
  const at::Tensor w = at::randn({side_, side_});
  for (const auto& operations : implementations(type)) layers_.push_back(operations->linear(w, {}));
}

double Products::gflops() const {
  constexpr double kLong = 0.5;  // seconds
  double most = 0;
  for (const auto& layer : layers_) {
    std::vector<double> seconds;
    for (double sum = 0; sum < kLong; sum += seconds.back()) {
      const auto begin = Clock::now();
      layer->forward(input_, {});
      seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    }
    const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
    std::ranges::nth_element(seconds, middle);
    most = std::max(most, gflop(side_) / *middle);
  }
  return most;
}

Ceilings measure_ceilings() {
  Ceilings c;
  c.bf16_gflops = best_product_gflops(at::kBFloat16);
  c.fp32_gflops = best_product_gflops(at::kFloat);
  const at::Tensor from = at::ones({64 << 20}, at::kFloat), to = at::empty_like(from);
  c.copy_gbytes_per_s = 2e-9 * static_cast<double>(from.nbytes()) / best_seconds(5, [&] { to.copy_(from); });
  return c;
}

Ceilings highest(const Ceilings& a, const Ceilings& b) {
  return {std::max(a.bf16_gflops, b.bf16_gflops), std::max(a.fp32_gflops, b.fp32_gflops),
          std::max(a.copy_gbytes_per_s, b.copy_gbytes_per_s)};
}

}  // namespace waggle::bench

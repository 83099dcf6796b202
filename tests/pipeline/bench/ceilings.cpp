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

double product_gflops(const ops::Operations& operations, at::ScalarType type, std::int64_t side) {
  const at::Tensor x = at::randn({side, side}), w = at::randn({side, side});
  const auto linear = operations.linear(w, {});
  const at::Tensor input = x.to(type);
  const double n = static_cast<double>(side);
  return 2e-9 * n * n * n / best_seconds(5, [&] { linear->forward(input, {}); });
}

}  // namespace

Ceilings measure_ceilings() {
  Ceilings c;
  // Every implementation, whichever the work was made to take.
  const auto best = [](at::ScalarType type, std::int64_t side, const auto& implementations) {
    double most = 0;
    for (const auto& operations : implementations)
      if (operations) most = std::max(most, product_gflops(*operations, type, side));
    return most;
  };
  using Implementations = std::vector<std::shared_ptr<const ops::Operations>>;
  const auto bf16 = ops::avx512_bf16_operations();  // its products are oneDNN's, on AMX too
  c.bf16_gflops = best(at::kBFloat16, 4096,
                       Implementations{bf16 ? bf16 : ops::reference_operations(at::kCPU, at::kBFloat16)});
  c.fp32_gflops = best(at::kFloat, 2048,
                       Implementations{ops::reference_operations(at::kCPU, at::kFloat),
                                       ops::avx512_operations(), ops::avx2_operations()});
  const at::Tensor from = at::ones({64 << 20}, at::kFloat), to = at::empty_like(from);
  c.copy_gbytes_per_s = 2e-9 * static_cast<double>(from.nbytes()) / best_seconds(5, [&] { to.copy_(from); });
  return c;
}

Ceilings highest(const Ceilings& a, const Ceilings& b) {
  return {std::max(a.bf16_gflops, b.bf16_gflops), std::max(a.fp32_gflops, b.fp32_gflops),
          std::max(a.copy_gbytes_per_s, b.copy_gbytes_per_s)};
}

}  // namespace waggle::bench

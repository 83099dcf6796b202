// Every fast implementation of the operations against plain libtorch in fp32, at real and at odd sizes.
#include <cstdint>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <catch2/catch.hpp>

#include "pipeline/ops/fast.h"
#include "pipeline/ops/ops.h"

using namespace waggle::pipeline;

namespace {

/// The implementations that this machine can run, beside the reference in fp32.
std::vector<std::shared_ptr<const ops::Operations>> implementations() {
  std::vector<std::shared_ptr<const ops::Operations>> all{ops::reference_operations(at::kCPU, at::kBFloat16)};
  for (auto fast : {ops::amx_bf16_operations(), ops::avx512_bf16_operations(), ops::avx512_operations(),
                    ops::avx2_operations()})
    if (fast) all.push_back(std::move(fast));
  return all;
}

const ops::Operations& exact() {
  static const auto fp32 = ops::reference_operations(at::kCPU, at::kFloat);
  return *fp32;
}

double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  REQUIRE(actual.sizes() == expected.sizes());
  return ((actual.to(at::kFloat) - expected).norm() / (expected.norm() + 1e-20)).item<double>();
}

bool is_fp32(const ops::Operations& fast) { return fast.activations().dtype() == at::kFloat; }

/// Numbers that the implementation holds exactly.
at::Tensor rounded(const ops::Operations& fast, at::IntArrayRef shape, double scale = 1.0,
                   double offset = 0.0) {
  return (at::randn(shape) * scale + offset).to(fast.activations()).to(at::kFloat);
}

/// bf16 keeps 8 bits: a result is off by 2^-9 of itself at best, sums of products by a little more. fp32
/// keeps 24, and either side may add in another order.
double bound_of(const ops::Operations& fast) { return is_fp32(fast) ? 2e-6 : 6e-3; }

template <class Body>
void for_each(const Body& body) {
  at::manual_seed(3);
  for (const auto& operations : implementations()) {
    INFO(operations->name());
    body(*operations);
  }
}

}  // namespace

TEST_CASE("operations: convolutions, with and without stride, bias and residual") {
  struct Shape {
    std::int64_t batch, in, out, height, width;
    int kernel, stride, padding;
  };
  const Shape shapes[] = {
      {2, 4, 320, 64, 64, 3, 1, 1},   {2, 320, 320, 64, 64, 3, 2, 1}, {1, 640, 320, 32, 32, 1, 1, 0},
      {1, 9, 16, 9, 7, 3, 1, 1},      {3, 17, 5, 11, 13, 3, 2, 0},    {1, 128, 3, 64, 64, 3, 1, 1},
      {2, 320, 320, 64, 64, 3, 1, 1}, {2, 1280, 640, 8, 8, 3, 1, 1},  {3, 64, 96, 9, 7, 3, 1, 1},
      {1, 32, 64, 1, 1, 3, 1, 1},     {5, 96, 32, 33, 5, 3, 1, 1},    {2, 256, 64, 61, 250, 3, 1, 1},
      {3, 64, 32, 5, 9, 1, 1, 0}};
  for_each([&](const ops::Operations& fast) {
    for (const Shape& s : shapes) {
      INFO(s.in << "->" << s.out << " " << s.height << "x" << s.width << " kernel " << s.kernel);
      const at::Tensor x = rounded(fast, {s.batch, s.in, s.height, s.width});
      const at::Tensor w = rounded(fast, {s.out, s.in, s.kernel, s.kernel}, 0.05), b = rounded(fast, {s.out});
      const auto slow = exact().convolution(w, b, {s.stride, s.padding});
      const auto quick = fast.convolution(w, b, {s.stride, s.padding});
      const at::Tensor expected = slow->forward(x, {});
      CHECK(relative_error(quick->forward(x.to(fast.activations()), {}), expected) < bound_of(fast));
      const at::Tensor residual = rounded(fast, expected.sizes());
      CHECK(relative_error(quick->forward(x.to(fast.activations()), residual.to(fast.activations())),
                           expected + residual) < bound_of(fast));
      const auto bare = fast.convolution(w, {}, {s.stride, s.padding});
      CHECK(relative_error(bare->forward(x.to(fast.activations()), {}), expected - b.view({1, -1, 1, 1})) <
            bound_of(fast));
    }
  });
}

TEST_CASE("operations: linear layers over any number of rows") {
  for_each([&](const ops::Operations& fast) {
    for (const auto& [rows, in, out] : std::vector<std::array<std::int64_t, 3>>{{8192, 320, 2560},
                                                                                {154, 768, 320},
                                                                                {2, 1280, 320},
                                                                                {1, 33, 7},
                                                                                {77, 40, 40},
                                                                                {31, 5120, 64},
                                                                                {96, 32, 32},
                                                                                {1231, 320, 96}}) {
      INFO(rows << " " << in << "->" << out);
      const at::Tensor x = rounded(fast, {1, rows, in}), w = rounded(fast, {out, in}, 0.05),
                       b = rounded(fast, {out});
      const at::Tensor expected = exact().linear(w, b)->forward(x, {});
      const auto quick = fast.linear(w, b);
      CHECK(relative_error(quick->forward(x.to(fast.activations()), {}), expected) < bound_of(fast));
      const at::Tensor residual = rounded(fast, expected.sizes());
      CHECK(relative_error(quick->forward(x.to(fast.activations()), residual.to(fast.activations())),
                           expected + residual) < bound_of(fast));
    }
  });
}

TEST_CASE("operations: linear layers with GEGLU behind them, with and without bias") {
  for_each([&](const ops::Operations& fast) {
    for (const auto& [rows, in, out] : std::vector<std::array<std::int64_t, 3>>{
             {4096, 320, 1280}, {33, 64, 48}, {1, 32, 16}, {77, 40, 20}, {130, 96, 32}}) {
      INFO(rows << " " << in << "->" << out);
      const at::Tensor x = rounded(fast, {2, rows, in}), w = rounded(fast, {2 * out, in}, 0.05),
                       b = rounded(fast, {2 * out});
      const at::Tensor input = x.to(fast.activations());
      CHECK(relative_error(fast.geglu_linear(w, b)->forward(input, {}),
                           exact().geglu_linear(w, b)->forward(x, {})) < 2 * bound_of(fast));
      CHECK(relative_error(fast.geglu_linear(w, {})->forward(input, {}),
                           exact().geglu_linear(w, {})->forward(x, {})) < 2 * bound_of(fast));
    }
  });
}

TEST_CASE("operations: group normalisation at real sizes, far from zero mean too") {
  for_each([&](const ops::Operations& fast) {
    for (const auto& [batch, channels, height, width, groups] :
         std::vector<std::array<std::int64_t, 5>>{{2, 320, 64, 64, 32},
                                                  {1, 128, 512, 512, 32},
                                                  {1, 1280, 8, 8, 32},
                                                  {2, 24, 9, 7, 8},
                                                  {1, 20, 3, 5, 4}})
      for (const double offset : {0.0, 5.0})
        for (const bool silu : {false, true}) {
          INFO(channels << "x" << height << "x" << width << " offset " << offset << " silu " << silu);
          const at::Tensor x = rounded(fast, {batch, channels, height, width}, 1.0, offset);
          const at::Tensor w = at::randn({channels}), b = at::randn({channels});
          const at::Tensor expected =
              exact().group_norm(x, exact().norm(w, b), static_cast<int>(groups), 1e-5, silu);
          const at::Tensor input = x.to(fast.activations()).contiguous(at::MemoryFormat::ChannelsLast);
          CHECK(relative_error(fast.group_norm(input, fast.norm(w, b), static_cast<int>(groups), 1e-5, silu),
                               expected) < bound_of(fast));
        }
  });
}

TEST_CASE("operations: layer normalisation, GEGLU and activations") {
  for_each([&](const ops::Operations& fast) {
    for (const std::int64_t width : {320, 1280, 24, 17}) {
      INFO(width);
      const at::Tensor x = rounded(fast, {2, 77, 2 * width}, 2.0), w = at::randn({2 * width}),
                       b = at::randn({2 * width});
      const at::Tensor input = x.to(fast.activations());
      CHECK(relative_error(fast.layer_norm(input, fast.norm(w, b), 1e-5),
                           exact().layer_norm(x, exact().norm(w, b), 1e-5)) < bound_of(fast));
      CHECK(relative_error(fast.geglu(input), exact().geglu(x)) < bound_of(fast));
      CHECK(relative_error(fast.silu(input), exact().silu(x)) < bound_of(fast));
    }
  });
}

TEST_CASE("operations: attention over every head size, long, short, self and cross") {
  for_each([&](const ops::Operations& fast) {
    for (const auto& [batch, queries, keys, heads, width] :
         std::vector<std::array<std::int64_t, 5>>{{2, 1024, 1024, 8, 40},
                                                  {1, 1024, 77, 8, 40},
                                                  {2, 256, 256, 8, 80},
                                                  {1, 64, 64, 8, 160},
                                                  {1, 300, 300, 2, 64},
                                                  {1, 128, 128, 1, 512},
                                                  {1, 1, 1, 1, 2},
                                                  {3, 5, 257, 3, 18},
                                                  {1, 193, 15, 2, 6},
                                                  {1, 7, 9, 2, 5}})
      for (const double sharpness : {1.0, 6.0}) {
        INFO(queries << "x" << keys << " heads " << heads << " width " << width << " sharpness "
                     << sharpness);
        const at::Tensor q = rounded(fast, {batch, queries, heads * width}, sharpness),
                         k = rounded(fast, {batch, keys, heads * width}),
                         v = rounded(fast, {batch, keys, heads * width});
        const at::Tensor expected = exact().attention(q, k, v, static_cast<int>(heads), false);
        const auto options = fast.activations();
        // libtorch rounds the scores to bf16 before the softmax; our kernel keeps them in fp32.
        const double bound = fast.name() == "reference" ? 5 * bound_of(fast) : 2 * bound_of(fast);
        CHECK(relative_error(
                  fast.attention(q.to(options), k.to(options), v.to(options), static_cast<int>(heads), false),
                  expected) < bound);
      }
  });
}

TEST_CASE("operations: attention whose scores grow or shrink by far from the first key to the last") {
  for_each([&](const ops::Operations& fast) {
    if (fast.name() == "reference") return;  // its scores are bf16
    for (const auto& [from, to] : std::vector<std::pair<double, double>>{{0.0, 20.0}, {20.0, 0.0}}) {
      INFO(from << " to " << to);
      const at::Tensor q = rounded(fast, {1, 70, 80}), v = rounded(fast, {1, 1000, 80});
      const at::Tensor k = (at::randn({1, 1000, 80}) * at::linspace(from, to, 1000).view({1, -1, 1}))
                               .to(fast.activations())
                               .to(at::kFloat);
      const auto options = fast.activations();
      CHECK(relative_error(fast.attention(q.to(options), k.to(options), v.to(options), 2, false),
                           exact().attention(q, k, v, 2, false)) < 2 * bound_of(fast));
    }
  });
}

TEST_CASE("operations: attention whose scores are huge stays finite") {
  for_each([&](const ops::Operations& fast) {
    const auto options = fast.activations();
    const at::Tensor q = at::full({1, 10, 64}, 300.0).to(options),
                     k = at::randn({1, 600, 64}).mul(100).to(options),
                     v = at::randn({1, 600, 64}).to(options);
    CHECK(fast.attention(q, k, v, 1, false).to(at::kFloat).isfinite().all().item<bool>());
  });
}

TEST_CASE("operations: enlarging to twice the size and to odd sizes") {
  for_each([&](const ops::Operations& fast) {
    const at::Tensor x = rounded(fast, {2, 24, 5, 7});
    for (const auto& [height, width] : std::vector<std::pair<std::int64_t, std::int64_t>>{{10, 14}, {9, 13}})
      CHECK(relative_error(fast.upsample_nearest(x.to(fast.activations()), height, width),
                           exact().upsample_nearest(x, height, width)) == 0.0);
  });
}

TEST_CASE("operations: the number of threads does not change a result") {
  for_each([](const ops::Operations& fast) {
    if (fast.name() == "reference") return;
    const at::Tensor q = at::randn({2, 500, 80}).to(fast.activations()),
                     x = at::randn({2, 64, 40, 40}).to(fast.activations());
    const at::Tensor few = at::randn({2, 1280}).to(fast.activations()), w = at::randn({640, 1280}) / 36,
                     kernel = at::randn({32, 64, 3, 3}) / 24;
    const auto norm = fast.norm(at::ones({64}), at::zeros({64}));
    const auto run = [&](int threads) {
      at::set_num_threads(threads);
      return std::vector{fast.attention(q, q, q, 2, false), fast.group_norm(x, norm, 32, 1e-5, true),
                         fast.convolution(kernel, {}, {1, 1})->forward(x, {}),
                         fast.linear(w, {})->forward(few, {})};
    };
    const int threads = at::get_num_threads();
    const auto one = run(1), two = run(2);
    at::set_num_threads(threads);
    for (std::size_t i = 0; i < one.size(); ++i) {
      INFO("result " << i);
      CHECK(at::equal(one[i], two[i]));
    }
  });
}

TEST_CASE("operations: an fp32 row gets the same attention and norms whatever is beside it in the batch") {
  for_each([](const ops::Operations& fast) {
    if (fast.name() == "reference") return;
    const at::Tensor q = at::randn({3, 100, 80}).to(fast.activations()),
                     x = at::randn({3, 64, 9, 7}).to(fast.activations());
    const auto norm = fast.norm(at::ones({64}), at::zeros({64}));
    const at::Tensor q1 = q.narrow(0, 1, 1), x1 = x.narrow(0, 1, 1);
    CHECK(at::equal(fast.attention(q, q, q, 2, false).narrow(0, 1, 1), fast.attention(q1, q1, q1, 2, false)));
    CHECK(at::equal(fast.group_norm(x, norm, 32, 1e-5, true).narrow(0, 1, 1),
                    fast.group_norm(x1, norm, 32, 1e-5, true)));
  });
}

TEST_CASE("operations: SiLU and GELU far from zero, where one of their halves is almost nothing") {
  const at::Tensor x = at::linspace(-20, 20, 4001);
  for_each([&](const ops::Operations& fast) {
    if (!is_fp32(fast)) return;
    const at::Tensor gate = at::cat({at::ones_like(x), x}).view({1, 1, -1});
    const at::Tensor wide = x.view({1, 1, 1, -1}).expand({1, 2, 1, -1}).contiguous();
    const auto identity = fast.norm(at::ones({2}), at::zeros({2}));
    const at::Tensor in_double = x.to(at::kDouble);
    const at::Tensor gelu_error = (fast.geglu(gate).view({-1}) - at::gelu(in_double)).abs();
    CHECK(gelu_error.max().item<double>() < 5e-6);  // 2.5e-7 of 20
    const at::Tensor expected =
        exact().group_norm(wide, exact().norm(at::ones({2}), at::zeros({2})), 1, 1e-5, true);
    CHECK((fast.group_norm(wide, identity, 1, 1e-5, true) - expected).abs().max().item<double>() < 1e-6);
  });
}

TEST_CASE("operations: every fp16 number becomes the value that libtorch makes of it") {
  std::vector<std::int16_t> patterns(65536);
  std::iota(patterns.begin(), patterns.end(), std::int16_t{-32768});
  const at::Tensor all = at::tensor(patterns, at::kShort).view(at::kHalf);
  for_each([&](const ops::Operations& fast) {
    for (const std::int64_t count : {65536, 65521, 17, 1}) {
      const at::Tensor some = all.slice(0, 65536 - count, 65536).clone();
      const at::Tensor actual = fast.constant(some);
      const at::Tensor expected = some.to(actual.scalar_type());
      CHECK(at::equal(actual.isnan(), expected.isnan()));
      CHECK(at::equal(actual.nan_to_num(0), expected.nan_to_num(0)));
    }
  });
}

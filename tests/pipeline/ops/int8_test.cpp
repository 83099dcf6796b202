// Layers over int8 weights against plain fp32, and the products of bytes against the same loss computed in
// fp32.
#include "pipeline/ops/int8.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/ATen.h>
#include <catch2/catch.hpp>

#include "pipeline/ops/fast.h"
#include "pipeline/ops/ops.h"
#include "pipeline/ops/quantized.h"

using namespace waggle::pipeline;

namespace {

/// Half a step in 127 on each side, for numbers that are spread as a normal distribution is.
constexpr double kLoss = 0.02;

std::shared_ptr<const ops::Operations> plain() { return ops::reference_operations(at::kCPU, at::kFloat); }

/// int8 over everything that this machine can run.
std::vector<std::shared_ptr<const ops::Operations>> implementations() {
  std::vector<std::shared_ptr<const ops::Operations>> all{ops::with_int8_weights(plain())};
  for (auto fast : {ops::avx512_bf16_operations(), ops::avx512_operations(), ops::avx2_operations()})
    if (fast) all.push_back(ops::with_int8_weights(std::move(fast)));
  return all;
}

double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  REQUIRE(actual.sizes() == expected.sizes());
  return ((actual.to(at::kFloat) - expected).norm() / (expected.norm() + 1e-20)).item<double>();
}

/// Rounding of the result, of the residual and, where bytes are only played, of what stands for them.
double rounding_of(const ops::Operations& fast) {
  return fast.activations().dtype() == at::kFloat ? 1e-5 : 6e-3;
}

at::Tensor rounded(const ops::Operations& fast, at::IntArrayRef shape, double scale = 1.0) {
  return (at::randn(shape) * scale).to(fast.activations()).to(at::kFloat);
}

template <class Body>
void for_each(const Body& body) {
  at::manual_seed(5);
  for (const auto& operations : implementations()) {
    INFO(operations->name());
    body(*operations);
  }
}

}  // namespace

TEST_CASE(
    "int8: linear layers over odd shapes are a little off fp32, and nothing off the same loss in fp32") {
  const auto lossy = ops::with_int8_weights(plain());
  for_each([&](const ops::Operations& fast) {
    for (const auto& [rows, in, out] : std::vector<std::array<std::int64_t, 3>>{
             {1024, 320, 2560}, {154, 768, 320}, {2, 1280, 320}, {1, 33, 37}, {77, 40, 40}, {3, 4097, 65}}) {
      INFO(rows << " " << in << "->" << out);
      const at::Tensor x = rounded(fast, {1, rows, in}), w = at::randn({out, in}) * 0.05,
                       b = at::randn({out});
      const at::Tensor residual = rounded(fast, {1, rows, out});
      const auto quick = fast.linear(w, b), bare = fast.linear(w, {});
      const at::Tensor input = x.to(fast.activations()), added = residual.to(fast.activations());
      const at::Tensor exact = plain()->linear(w, b)->forward(x, {});
      CHECK(relative_error(quick->forward(input, {}), exact) < kLoss);
      CHECK(relative_error(quick->forward(input, added), exact + residual) < kLoss);
      CHECK(relative_error(bare->forward(input, {}), exact - b) < kLoss);
      const at::Tensor same = lossy->linear(w, b)->forward(x, {});
      CHECK(relative_error(quick->forward(input, {}), same) < rounding_of(fast));
      CHECK(relative_error(quick->forward(input, added), same + residual) < rounding_of(fast));
    }
  });
}

TEST_CASE("int8: convolutions over odd shapes are a little off fp32, and nothing off the same loss in fp32") {
  struct Shape {
    std::int64_t batch, in, out, height, width;
    int kernel, stride, padding;
  };
  const auto lossy = ops::with_int8_weights(plain());
  for_each([&](const ops::Operations& fast) {
    for (const Shape& s : {Shape{2, 320, 320, 32, 32, 3, 1, 1}, Shape{1, 320, 64, 32, 32, 3, 2, 1},
                           Shape{1, 640, 320, 16, 16, 1, 1, 0}, Shape{3, 33, 35, 11, 13, 3, 2, 0},
                           Shape{2, 48, 40, 9, 7, 3, 1, 1}}) {
      INFO(s.in << "->" << s.out << " " << s.height << "x" << s.width << " kernel " << s.kernel);
      const at::Tensor x = rounded(fast, {s.batch, s.in, s.height, s.width});
      const at::Tensor w = at::randn({s.out, s.in, s.kernel, s.kernel}) * 0.05, b = at::randn({s.out});
      const ops::ConvolutionGeometry geometry{s.stride, s.padding};
      const auto quick = fast.convolution(w, b, geometry), bare = fast.convolution(w, {}, geometry);
      const at::Tensor exact = plain()->convolution(w, b, geometry)->forward(x, {});
      const at::Tensor residual = rounded(fast, exact.sizes());
      const at::Tensor input = x.to(fast.activations()), added = residual.to(fast.activations());
      CHECK(relative_error(quick->forward(input, {}), exact) < kLoss);
      CHECK(relative_error(quick->forward(input, added), exact + residual) < kLoss);
      CHECK(relative_error(bare->forward(input, {}), exact - b.view({1, -1, 1, 1})) < kLoss);
      const at::Tensor same = lossy->convolution(w, b, geometry)->forward(x, {});
      CHECK(relative_error(quick->forward(input, {}), same) < rounding_of(fast));
      CHECK(relative_error(quick->forward(input, added), same + residual) < rounding_of(fast));
    }
  });
}

TEST_CASE("int8: neighbours in the batch change nothing, however large their numbers are") {
  for_each([](const ops::Operations& fast) {
    const at::Tensor w = at::randn({64, 48}), b = at::randn({64});
    const at::Tensor x = at::randn({1, 7, 48}).to(fast.activations());
    const auto linear = fast.linear(w, b);
    const auto off = [&](const auto& layer, const at::Tensor& input) {
      return relative_error(layer->forward(at::cat({input, input * 1000}), {})[0],
                            layer->forward(input, {})[0].to(at::kFloat));
    };
    CHECK(off(linear, x) < rounding_of(fast));
    const at::Tensor map = at::randn({1, 48, 6, 5}).to(fast.activations());
    CHECK(off(fast.convolution(at::randn({64, 48, 3, 3}), b, {}), map) < rounding_of(fast));
  });
}

TEST_CASE("int8: nothing but zeros gives the bias") {
  for_each([](const ops::Operations& fast) {
    const at::Tensor b = rounded(fast, {40}), zeros = at::zeros({1, 3, 33}).to(fast.activations());
    for (const at::Tensor& w : {at::randn({40, 33}), at::zeros({40, 33})}) {
      const at::Tensor y = fast.linear(w, b)->forward(zeros, {}).to(at::kFloat);
      CHECK(at::equal(y, b.expand({1, 3, 40})));
    }
  });
}

TEST_CASE("int8: convolutions of 1x1 and those with few channels in or out stay as they are") {
  for_each([](const ops::Operations& fast) {
    for (const auto& [in, out, kernel] :
         {std::array{4, 320, 3}, std::array{320, 4, 3}, std::array{64, 64, 1}}) {
      const ops::ConvolutionGeometry geometry{1, kernel / 2};
      const at::Tensor x = rounded(fast, {1, in, 8, 8}), w = rounded(fast, {out, in, kernel, kernel});
      const at::Tensor exact = plain()->convolution(w, {}, geometry)->forward(x, {});
      CHECK(relative_error(fast.convolution(w, {}, geometry)->forward(x.to(fast.activations()), {}), exact) <
            rounding_of(fast));
    }
  });
}

TEST_CASE(
    "int8: weights take little more than a byte each where bytes are multiplied, else what they take "
    "underneath") {
  const auto in_fp32 = ops::with_int8_weights(plain());
  CHECK(in_fp32->weight_bytes(1000) == 4000);
  if (const auto fast = ops::avx512_operations()) {
    const std::int64_t bytes = ops::with_int8_weights(fast)->weight_bytes(1000);
    CHECK((bytes == 1031 || bytes == 4000));
  }
}

TEST_CASE("int8: our loops round as libtorch does, at every length") {
  if (!ops::quantizes_to_bytes()) return;
  at::manual_seed(6);
  for (const at::ScalarType dtype : {at::kBFloat16, at::kFloat, at::kHalf})
    for (const std::int64_t length : {1, 15, 16, 17, 31, 33, 320, 16384, 16385, 50001})
      for (const std::int64_t runs : {1, 3}) {
        INFO(dtype << " " << runs << " of " << length);
        const at::Tensor x = at::randn({runs, length}).to(dtype);
        const ops::Quantized bytes = ops::quantized(x, runs);
        CHECK(bytes.values.abs().max().item<int>() == 127);
        const at::Tensor largest = x.to(at::kFloat).abs().amax(1, true);
        CHECK(at::equal(bytes.values, (x.to(at::kFloat) * (127 / largest)).round().to(at::kChar)));
        CHECK(at::equal(bytes.scale, largest.flatten() / 127));
      }
}

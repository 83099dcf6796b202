// What a layer adds to a weight, against products written out by hand.
#include "pipeline/adapters/lora_layer.h"

#include <limits>

#include <ATen/Functions.h>
#include <catch2/catch.hpp>

#include "pipeline/weights/weight_source.h"
#include "tests/pipeline/adapters/written_lora.h"

using namespace waggle::pipeline;
using waggle::adapters::noise;

namespace {

double difference(const at::Tensor& a, const at::Tensor& b) {
  REQUIRE(a.sizes() == b.sizes());
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

LoraLayer layer(const std::vector<std::pair<Factor, at::Tensor>>& factors) {
  LoraLayer made;
  for (const auto& [factor, tensor] : factors)
    made.set(factor, tensor, std::string("t").append(std::to_string(static_cast<int>(factor))));
  made.require_whole();
  return made;
}

std::string refusal(const LoraLayer& of, at::IntArrayRef shape) {
  try {
    const at::Tensor delta = of.delta(shape);
    return "";
  } catch (const LoadError& error) {
    return error.what();
  }
}

std::string refusal(const std::vector<std::pair<Factor, at::Tensor>>& factors) {
  try {
    layer(factors);
    return "";
  } catch (const LoadError& error) {
    return error.what();
  }
}

/// sum over p, r of up[o,p] mid[p,r,y,x] down[r,i], element by element in double.
at::Tensor tucker(const at::Tensor& up, const at::Tensor& mid, const at::Tensor& down) {
  at::Tensor all = at::zeros({up.size(0), down.size(1), mid.size(2), mid.size(3)}, at::kDouble);
  for (std::int64_t p = 0; p < mid.size(0); ++p)
    for (std::int64_t r = 0; r < mid.size(1); ++r)
      all += up.select(1, p).to(at::kDouble).view({-1, 1, 1, 1}) *
             down[r].to(at::kDouble).view({1, -1, 1, 1}) * mid[p][r].to(at::kDouble);
  return all;
}

}  // namespace

TEST_CASE("lora layer: a matrix gets alpha / rank * up * down") {
  const at::Tensor down = noise(1, {4, 6}), up = noise(2, {5, 4});
  const at::Tensor product = at::mm(up.to(at::kDouble), down.to(at::kDouble));
  CHECK(difference(layer({{Factor::down, down}, {Factor::up, up}}).delta({5, 6}), product) < 1e-7);
  const auto scaled = layer({{Factor::down, down}, {Factor::up, up}, {Factor::alpha, at::full({}, 2.0)}});
  CHECK(difference(scaled.delta({5, 6}), product * 0.5) < 1e-7);
  // An alpha may be a whole number, in a list of one.
  const auto whole =
      layer({{Factor::down, down}, {Factor::up, up}, {Factor::alpha, at::full({1}, 8, at::kLong)}});
  CHECK(difference(whole.delta({5, 6}), product * 2) < 1e-7);
}

TEST_CASE("lora layer: matrices and 1x1 convolutions stand for each other") {
  const at::Tensor down = noise(1, {4, 6}), up = noise(2, {5, 4});
  const at::Tensor expected = at::mm(up, down);
  const auto as_convolution =
      layer({{Factor::down, down.view({4, 6, 1, 1})}, {Factor::up, up.view({5, 4, 1, 1})}});
  CHECK(difference(as_convolution.delta({5, 6}), expected) == 0);
  const auto as_matrix = layer({{Factor::down, down}, {Factor::up, up}});
  CHECK(difference(as_matrix.delta({5, 6, 1, 1}), expected.view({5, 6, 1, 1})) == 0);
}

TEST_CASE("lora layer: a 3x3 convolution is the two convolutions one after the other") {
  const at::Tensor down = noise(1, {4, 6, 3, 3}), up = noise(2, {5, 4, 1, 1}), x = noise(3, {1, 6, 7, 7});
  const at::Tensor delta = layer({{Factor::down, down}, {Factor::up, up}}).delta({5, 6, 3, 3});
  CHECK(difference(at::conv2d(x, delta), at::conv2d(at::conv2d(x, down), up)) < 1e-6);
}

TEST_CASE("lora layer: the Tucker form has its core between up and down") {
  const at::Tensor down = noise(1, {4, 6, 1, 1}), mid = noise(2, {3, 4, 3, 3}), up = noise(3, {5, 3, 1, 1});
  const auto made =
      layer({{Factor::down, down}, {Factor::mid, mid}, {Factor::up, up}, {Factor::alpha, at::full({}, 2.0)}});
  CHECK(difference(made.delta({5, 6, 3, 3}), tucker(up.view({5, 3}), mid, down.view({4, 6})) * 0.5) < 1e-7);
}

TEST_CASE("lora layer: LoHa is the element-wise product of two LoRAs") {
  const at::Tensor a1 = noise(1, {5, 3}), b1 = noise(2, {3, 54}), a2 = noise(3, {5, 3}),
                   b2 = noise(4, {3, 54});
  const auto made = layer({{Factor::hada_w1_a, a1},
                           {Factor::hada_w1_b, b1},
                           {Factor::hada_w2_a, a2},
                           {Factor::hada_w2_b, b2},
                           {Factor::alpha, at::full({}, 1.5)}});
  const at::Tensor expected = at::mm(a1, b1) * at::mm(a2, b2) * 0.5;
  CHECK(difference(made.delta({5, 6, 3, 3}), expected.view({5, 6, 3, 3})) < 1e-7);
  CHECK(difference(made.delta({5, 54}), expected) < 1e-7);
}

TEST_CASE("lora layer: LoHa in the Tucker form has its outer matrices transposed") {
  const at::Tensor t1 = noise(1, {3, 3, 3, 3}), a1 = noise(2, {3, 5}), b1 = noise(3, {3, 6});
  const at::Tensor t2 = noise(4, {3, 3, 3, 3}), a2 = noise(5, {3, 5}), b2 = noise(6, {3, 6});
  const auto made = layer({{Factor::hada_t1, t1},
                           {Factor::hada_w1_a, a1},
                           {Factor::hada_w1_b, b1},
                           {Factor::hada_t2, t2},
                           {Factor::hada_w2_a, a2},
                           {Factor::hada_w2_b, b2}});
  CHECK(difference(made.delta({5, 6, 3, 3}), tucker(a1.t(), t1, b1) * tucker(a2.t(), t2, b2)) < 1e-8);
}

TEST_CASE("lora layer: half precision factors are multiplied in fp32") {
  const at::Tensor down = noise(1, {4, 6}).to(at::kHalf), up = noise(2, {5, 4}).to(at::kHalf);
  const at::Tensor delta = layer({{Factor::down, down}, {Factor::up, up}}).delta({5, 6});
  CHECK(delta.scalar_type() == at::kFloat);
  CHECK(difference(delta, at::mm(up.to(at::kDouble), down.to(at::kDouble))) < 1e-7);
}

TEST_CASE("lora layer: misshapen factors are named with both shapes") {
  const auto named = [](const at::Tensor& down, const at::Tensor& up, at::IntArrayRef shape) {
    return refusal(layer({{Factor::down, down}, {Factor::up, up}}), shape);
  };
  CHECK(named(noise(1, {4, 7}), noise(2, {5, 4}), {5, 6}) ==
        "tensor 't0' has shape [4, 7], the layer needs [4, 6]");
  CHECK(named(noise(1, {4, 6}), noise(2, {5, 3}), {5, 6}) ==
        "tensor 't1' has shape [5, 3], the layer needs [5, 4]");
  CHECK(named(noise(1, {4, 6}), noise(2, {5, 4}), {5, 6, 3, 3}) ==
        "tensor 't0' has shape [4, 6], the layer needs [4, 6, 3, 3]");
  CHECK(named(noise(1, {24}), noise(2, {5, 4}), {5, 6}) == "tensor 't0' has shape [24], which is no matrix");
  CHECK(named(at::zeros({0, 6}), at::zeros({5, 0}), {5, 6}) == "tensor 't0' has rank 0");
  CHECK(named(noise(1, {4, 6}), noise(2, {5, 4}), {6}).find("takes no LoRA") != std::string::npos);
  // The same number of elements in another form is no fit.
  CHECK_FALSE(named(noise(1, {4, 3, 2}), noise(2, {5, 4}), {5, 6}).empty());
}

TEST_CASE("lora layer: half a product, a strange alpha and numbers without end are refused") {
  const at::Tensor down = noise(1, {4, 6}), up = noise(2, {5, 4});
  CHECK(refusal({{Factor::down, down}}) == "tensor 't0' has no lora_up beside it");
  CHECK(refusal({{Factor::up, up}}) == "tensor 't1' has no lora_down beside it");
  CHECK(refusal({{Factor::mid, noise(3, {4, 4, 3, 3})}, {Factor::up, up}}) ==
        "tensor 't1' has no lora_down beside it");
  CHECK(refusal({{Factor::hada_w1_a, up}, {Factor::hada_w1_b, down}, {Factor::hada_w2_a, up}}) ==
        "tensor 't3' has no hada_w2_b beside it");
  CHECK_FALSE(refusal({{Factor::down, down}, {Factor::up, up}, {Factor::hada_w1_a, up}}).empty());
  CHECK_FALSE(refusal({{Factor::down, down}, {Factor::down, down}, {Factor::up, up}}).empty());
  CHECK_FALSE(refusal({{Factor::down, at::zeros({4, 6}, at::kLong)}, {Factor::up, up}}).empty());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refusal({{Factor::down, down}, {Factor::up, up}, {Factor::alpha, at::full({}, nan)}}) ==
        "tensor 't9' is not a finite number");
  CHECK_FALSE(refusal({{Factor::down, down}, {Factor::up, up}, {Factor::alpha, at::zeros({2})}}).empty());
  CHECK(refusal(layer({{Factor::down, down}, {Factor::up, up * nan}}), {5, 6}).find("not finite") !=
        std::string::npos);
  CHECK(refusal(layer({{Factor::down, down * 1e38}, {Factor::up, up * 1e38}}), {5, 6}).find("not finite") !=
        std::string::npos);
}

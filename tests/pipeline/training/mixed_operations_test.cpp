// Training's operations beside the reference that rendering is checked against.
#include "pipeline/training/mixed_operations.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <catch2/catch.hpp>
#include <torch/csrc/autograd/autograd.h>

#include "pipeline/models/vae.h"
#include "pipeline/training/denoiser.h"
#include "pipeline/training/recipe.h"
#include "pipeline/training/shards.h"

namespace waggle::training {
namespace {

using pipeline::Builder;

at::Generator seeded(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

double relative(const at::Tensor& one, const at::Tensor& other) {
  return ((one.to(at::kDouble) - other.to(at::kDouble)).norm() / other.to(at::kDouble).norm()).item<double>();
}

/// Parameters in which no branch is silent, as they are after some training.
void wake(Parameters& parameters) {
  const c10::NoGradGuard no_grad;
  std::uint64_t seed = 1;
  for (const auto& [name, tensor] : parameters.tensors())
    tensor.add_(at::randn(tensor.sizes(), seeded(seed++), tensor.options()), 0.05);
}

TEST_CASE("mixed operations: an autoencoder in bf16 computes what the reference computes in fp32") {
  Parameters parameters(3);
  const auto config = pipeline::VaeConfig::from({vae_config(1.0), "vae"});
  const auto mixed = mixed_operations(at::kBFloat16);
  const pipeline::VaeDecoder learned(Builder(parameters, *mixed), config);
  wake(parameters);
  const auto plain = pipeline::ops::reference_operations(at::kCPU, at::kFloat);
  const pipeline::VaeDecoder reference(Builder(parameters, *plain), config);
  const at::Tensor latents = at::randn({1, 4, 4, 4}, seeded(1), at::TensorOptions(at::kFloat));
  const c10::NoGradGuard no_grad;
  CHECK(relative(learned.forward(latents), reference.forward(latents)) < 0.03);
}

TEST_CASE("mixed operations: gradients in bf16 are those of fp32") {
  std::vector<std::vector<at::Tensor>> gradients;
  for (const auto precision : {at::kFloat, at::kBFloat16}) {
    Parameters parameters(3);
    const auto operations = mixed_operations(precision);
    const pipeline::VaeDecoder decoder(Builder(parameters, *operations),
                                       pipeline::VaeConfig::from({vae_config(1.0), "vae"}));
    wake(parameters);
    const at::Tensor latents = at::randn({2, 4, 4, 4}, seeded(1), at::TensorOptions(at::kFloat));
    gradients.push_back(differentiate(values(parameters.tensors()), 1, [&](int) {
                          return decoder.forward(latents).square().mean();
                        }).of_each);
  }
  for (std::size_t i = 0; i < gradients[0].size(); ++i)
    if (gradients[0][i].norm().item<double>() > 1e-4)
      CHECK(relative(gradients[1][i], gradients[0][i]) < 0.15);
}

TEST_CASE("shards: two halves on two threads give the gradient of the whole") {
  const at::Tensor weight = at::randn({8, 4}, seeded(1), at::TensorOptions(at::kFloat)).requires_grad_(true);
  const at::Tensor x = at::randn({6, 4}, seeded(2), at::TensorOptions(at::kFloat));
  const auto whole = differentiate({weight}, 1, [&](int) { return at::linear(x, weight).square().mean(); });
  const auto halves = differentiate(
      {weight}, 2, [&](int shard) { return at::linear(x.narrow(0, 3 * shard, 3), weight).square().mean(); });
  CHECK(halves.loss == Approx(whole.loss));
  CHECK(relative(halves.of_each[0], whole.of_each[0]) < 1e-5);
}

TEST_CASE("shards: what one thread throws arrives when all have ended") {
  const at::Tensor weight = at::ones({1}).requires_grad_(true);
  const auto failing = [&](int shard) -> at::Tensor {
    if (shard == 1) throw std::runtime_error("no picture");
    return weight.sum();
  };
  CHECK_THROWS_WITH(differentiate({weight}, 2, failing), "no picture");
}

}  // namespace
}  // namespace waggle::training

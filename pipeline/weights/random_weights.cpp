// Random weights by name.
#include "pipeline/weights/random_weights.h"

#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Functions.h>

namespace waggle::pipeline {
namespace {

/// FNV-1a, so that a tensor does not depend on the order in which a model asks.
std::uint64_t seed_of(const std::string& name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

at::Tensor RandomWeights::take(const std::string& name, at::IntArrayRef shape) {
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed_of(name));
  at::Tensor values = at::randn(shape, generator, at::TensorOptions(at::kFloat));
  if (shape.size() > 1) {
    std::int64_t fan_in = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= shape[i];
    values.mul_(1.0 / std::sqrt(static_cast<double>(fan_in)));
  } else {
    values.mul_(0.05);
    if (name.ends_with(".weight")) values.add_(1.0);
  }
  return values.to(at::kBFloat16).to(at::kFloat);
}

bool RandomWeights::contains(const std::string& name) const { return !name.empty(); }

}  // namespace waggle::pipeline

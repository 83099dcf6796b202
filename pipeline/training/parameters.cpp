// Initial values by name.
#include "pipeline/training/parameters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace waggle::training {
namespace {

/// FNV-1a over the name, so that a tensor does not depend on the order in which a model asks.
std::uint64_t hash_of(std::uint64_t seed, const std::string& name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ (seed * 0x9e3779b97f4a7c15ULL);
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

bool ends_residual_branch(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kEnds{"conv2.weight", "proj_out.weight", "fc2.weight"};
  return std::ranges::any_of(kEnds, [&](std::string_view end) { return name.ends_with(end); });
}

}  // namespace

at::Tensor Parameters::take(const std::string& name, at::IntArrayRef shape) {
  if (const auto found = tensors_.find(name); found != tensors_.end()) {
    if (found->second.sizes() != shape) throw pipeline::LoadError(name + " is asked for in two shapes");
    return found->second;
  }
  at::Tensor value = at::zeros(shape, at::kFloat);
  if (shape.size() == 1) {
    if (name.ends_with(".weight")) value.fill_(1.0);
    // The posterior begins narrow, or its noise drowns what the first steps could learn.
    if (name == "quant_conv.bias") value.narrow(0, shape[0] / 2, shape[0] / 2).fill_(-5.0);
  } else if (!ends_residual_branch(name)) {
    std::int64_t fan_in = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= shape[i];
    const bool embedding = name.find("embedding.weight") != std::string::npos;
    const double deviation = embedding ? 0.1 : 1.0 / std::sqrt(3.0 * static_cast<double>(fan_in));
    const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(hash_of(seed_, name));
    value = at::randn(shape, generator, at::TensorOptions(at::kFloat)).mul_(deviation);
  }
  return tensors_.emplace(name, value.requires_grad_(true)).first->second;
}

std::vector<at::Tensor> values(const std::map<std::string, at::Tensor>& tensors) {
  std::vector<at::Tensor> all;
  for (const auto& [name, tensor] : tensors) all.push_back(tensor);
  return all;
}

}  // namespace waggle::training

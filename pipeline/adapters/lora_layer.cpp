// Checking the factors of a layer and multiplying them out.
#include "pipeline/adapters/lora_layer.h"

#include <cmath>
#include <vector>

#include <ATen/Functions.h>

#include "pipeline/weights/weight_source.h"

namespace waggle::pipeline {
namespace {

/// Sides of 1 behind the first two say nothing: a matrix may be stored as a 1x1 convolution and the reverse.
at::IntArrayRef significant(at::IntArrayRef shape) {
  while (shape.size() > 2 && shape.back() == 1) shape = shape.slice(0, shape.size() - 1);
  return shape;
}

constexpr const char* kFactorNames[kFactors] = {"lora_down", "lora_up",   "lora_mid",  "hada_w1_a",
                                                "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1",
                                                "hada_t2",   "alpha"};

std::int64_t product(at::IntArrayRef sides) {
  std::int64_t count = 1;
  for (const std::int64_t side : sides) count *= side;
  return count;
}

std::vector<std::int64_t> joined(std::initializer_list<std::int64_t> first, at::IntArrayRef rest) {
  std::vector<std::int64_t> all(first);
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

}  // namespace

void LoraLayer::set(Factor factor, at::Tensor tensor, std::string name) {
  Stored& place = factors_[static_cast<std::size_t>(factor)];
  if (place.tensor.defined())
    throw LoadError("tensors '" + place.name + "' and '" + name + "' are the same factor");
  if (factor == Factor::alpha) {
    if (tensor.numel() != 1)
      throw LoadError("tensor '" + name + "' has shape " + shape_text(tensor.sizes()) +
                      ", an alpha is one number");
    alpha_ = tensor.to(at::kDouble).item<double>();
    if (!std::isfinite(alpha_)) throw LoadError("tensor '" + name + "' is not a finite number");
  } else if (!at::isFloatingType(tensor.scalar_type())) {
    throw LoadError("tensor '" + name + "' is no floating-point tensor");
  }
  place = {std::move(tensor), std::move(name)};
}

void LoraLayer::require_whole() const {
  using enum Factor;
  const bool plain = has(down) || has(up) || has(mid);
  const bool hada =
      has(hada_w1_a) || has(hada_w1_b) || has(hada_w2_a) || has(hada_w2_b) || has(hada_t1) || has(hada_t2);
  if (plain && hada)
    throw LoadError("tensor '" + any_name() + "' has factors of a LoRA and of a LoHa beside it");
  const auto require = [this](Factor factor) {
    if (!has(factor))
      throw LoadError("tensor '" + any_name() + "' has no " + kFactorNames[static_cast<std::size_t>(factor)] +
                      " beside it");
  };
  if (!hada) {
    for (const Factor factor : {down, up}) require(factor);
    return;
  }
  for (const Factor factor : {hada_w1_a, hada_w1_b, hada_w2_a, hada_w2_b}) require(factor);
  if (has(hada_t1) || has(hada_t2))
    for (const Factor factor : {hada_t1, hada_t2}) require(factor);
}

at::Tensor LoraLayer::delta(at::IntArrayRef shape) const {
  if (shape.size() != 2 && shape.size() != 4)
    throw LoadError("tensor '" + any_name() + "' is for a weight of shape " + shape_text(shape) +
                    ", which takes no LoRA");
  const bool plain = has(Factor::down);
  at::Tensor delta = plain ? low_rank(shape) : hadamard(shape);
  if (has(Factor::alpha))
    delta.mul_(alpha_ / static_cast<double>(rank(plain ? Factor::down : Factor::hada_w1_b)));
  if (!delta.isfinite().all().item<bool>())
    throw LoadError("tensor '" + any_name() + "' and its neighbours give numbers that are not finite");
  return delta;
}

/// The factor in fp32 and in exactly the shape that the product needs.
at::Tensor LoraLayer::taken(Factor factor, at::IntArrayRef needed) const {
  const Stored& it = stored(factor);
  if (significant(it.tensor.sizes()) != significant(needed))
    throw LoadError("tensor '" + it.name + "' has shape " + shape_text(it.tensor.sizes()) +
                    ", the layer needs " + shape_text(needed));
  return it.tensor.to(at::kFloat).reshape(needed);
}

std::int64_t LoraLayer::rank(Factor factor) const {
  const Stored& it = stored(factor);
  if (it.tensor.dim() < 2)
    throw LoadError("tensor '" + it.name + "' has shape " + shape_text(it.tensor.sizes()) +
                    ", which is no matrix");
  if (it.tensor.size(0) == 0) throw LoadError("tensor '" + it.name + "' has rank 0");
  return it.tensor.size(0);
}

at::Tensor LoraLayer::low_rank(at::IntArrayRef shape) const {
  const std::int64_t out = shape[0], in = shape[1], r = rank(Factor::down);
  const at::IntArrayRef kernel = shape.slice(2);
  if (!has(Factor::mid)) {
    const at::Tensor down = taken(Factor::down, joined({r, in}, kernel));
    const at::Tensor up = taken(Factor::up, {out, r});
    return at::mm(up, down.flatten(1)).view(shape);
  }
  const std::int64_t outer = rank(Factor::mid);
  const at::Tensor down = taken(Factor::down, {r, in}), up = taken(Factor::up, {out, outer});
  const at::Tensor mid = taken(Factor::mid, joined({outer, r}, kernel)).reshape({outer, r, product(kernel)});
  return at::einsum("prk,ri,op->oik", {mid, down, up}).reshape(shape);
}

at::Tensor LoraLayer::hadamard(at::IntArrayRef shape) const {
  using enum Factor;
  return hadamard_half(shape, hada_w1_a, hada_w1_b, hada_t1)
      .mul_(hadamard_half(shape, hada_w2_a, hada_w2_b, hada_t2));
}

at::Tensor LoraLayer::hadamard_half(at::IntArrayRef shape, Factor a, Factor b, Factor core) const {
  const std::int64_t out = shape[0], in = shape[1], r = rank(b), cells = product(shape.slice(2));
  if (!has(core)) return at::mm(taken(a, {out, r}), taken(b, {r, in * cells})).view(shape);
  const std::int64_t outer = rank(core);
  const at::Tensor middle = taken(core, joined({outer, r}, shape.slice(2))).reshape({outer, r, cells});
  return at::einsum("prk,ri,po->oik", {middle, taken(b, {r, in}), taken(a, {outer, out})})
      .contiguous()
      .view(shape);
}

const std::string& LoraLayer::any_name() const {
  for (const Stored& it : factors_)
    if (it.tensor.defined()) return it.name;
  return factors_.front().name;
}

}  // namespace waggle::pipeline

// What a LoRA file adds to one weight: LoRA (Hu et al. 2021), its convolution form LoCon and LoHa (Hyeon-Woo
// et al. 2021), as LyCORIS writes them.
//
// Holds the factors as stored and multiplies them out when a weight asks. Knows nothing of files or models.
#pragma once

#include <array>
#include <string>

#include <ATen/core/Tensor.h>

#include "pipeline/adapters/lora_names.h"

namespace waggle::pipeline {

class LoraLayer {
 public:
  /// `name`: of the tensor in its file, for messages. Throws LoadError: the factor is there already, is no
  /// floating-point tensor, or is an alpha that is no finite number.
  void set(Factor factor, at::Tensor tensor, std::string name);

  /// Throws LoadError unless the factors make one whole product, naming what is missing.
  void require_whole() const;

  /// alpha / rank times the product; the factor is 1 where there is no alpha.
  /// **Shape**: of the weight, [out, in] or [out, in, k, k]; fp32 on the CPU. **Errors**: throws LoadError
  /// naming the tensor, its shape and the shape that is needed; for rank 0; for products that are not finite.
  /// **Source**: golden `lora_golden`; LyCORIS for the Tucker forms.
  [[nodiscard]] at::Tensor delta(at::IntArrayRef shape) const;

 private:
  [[nodiscard]] bool has(Factor factor) const { return stored(factor).tensor.defined(); }
  [[nodiscard]] at::Tensor taken(Factor factor, at::IntArrayRef needed) const;
  [[nodiscard]] std::int64_t rank(Factor factor) const;
  [[nodiscard]] at::Tensor low_rank(at::IntArrayRef shape) const;
  [[nodiscard]] at::Tensor hadamard(at::IntArrayRef shape) const;
  [[nodiscard]] at::Tensor hadamard_half(at::IntArrayRef shape, Factor a, Factor b, Factor core) const;
  [[nodiscard]] const std::string& any_name() const;

  struct Stored {
    at::Tensor tensor;
    std::string name;
  };
  [[nodiscard]] const Stored& stored(Factor factor) const {
    return factors_[static_cast<std::size_t>(factor)];
  }
  std::array<Stored, kFactors> factors_;
  double alpha_ = 0;
};

}  // namespace waggle::pipeline

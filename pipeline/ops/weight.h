// A weight as the operations take it: the tensor as stored, and whoever keeps what they make of it.
//
// What is made of weights lies outside the heap, where no hole of it is left between activations.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace waggle::pipeline::ops {

/// What a weight was turned into. Equal forms of one weight hold equal bytes.
struct WeightForm {
  std::string layout;  ///< of these bytes, in whatever words their user has for it
  std::vector<std::int64_t> sizes;
  at::ScalarType type = at::kByte;
};
/// Writes all of the tensor.
using FillWeight = std::function<void(const at::Tensor& room)>;

/// Keeps what was made of weights: for another load of the same ones.
class WeightKeeper {
 public:
  virtual ~WeightKeeper() = default;
  /// What is kept of this weight in this form, else new memory that `fill` has written. Contiguous, at a
  /// multiple of 64 bytes, only to be read; valid as long as the tensor lives.
  virtual at::Tensor keep(const std::string& weight, const WeightForm& form, const FillWeight& fill) = 0;
};

class Weight {
 public:
  Weight() = default;
  Weight(at::Tensor stored) : stored_(std::move(stored)) {}  // NOLINT: a tensor that nobody keeps
  /// `keeper` outlives the making of the layer, not the layer; null: nobody keeps it.
  Weight(at::Tensor stored, WeightKeeper* keeper, std::string name)
      : stored_(std::move(stored)), keeper_(keeper), name_(std::move(name)) {}

  [[nodiscard]] bool defined() const { return stored_.defined(); }
  /// Not read yet where somebody may have kept what will be made of it.
  [[nodiscard]] const at::Tensor& stored() const { return stored_; }
  [[nodiscard]] std::int64_t size(std::int64_t dimension) const { return stored_.size(dimension); }

  [[nodiscard]] at::Tensor in(const WeightForm& form, const FillWeight& fill) const;
  /// Contiguous in this dtype, on the CPU; the stored tensor itself where it is that and nobody keeps it.
  /// Undefined stays undefined.
  [[nodiscard]] at::Tensor as(at::ScalarType type) const;

 private:
  at::Tensor stored_;
  WeightKeeper* keeper_ = nullptr;
  std::string name_;
};

/// Memory for a weight in this form: of its own, given back to the system with the tensor, unless it is
/// small.
at::Tensor weight_memory(const WeightForm& form);

/// The numbers in another dtype, contiguous; the same tensor where it is that. For the time of a conversion,
/// in memory of the heap.
at::Tensor converted(const at::Tensor& stored, at::ScalarType type);

}  // namespace waggle::pipeline::ops

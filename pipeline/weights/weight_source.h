// Where a model's tensors come from: files, random numbers (benchmarks, training), or files with adapters
// merged in.
//
// A model asks for each tensor by its checkpoint name and the shape that its configuration implies; what is
// missing, misshapen or left over is named.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pipeline/weights/load_error.h"
#include "pipeline/weights/safetensors.h"

namespace waggle::pipeline {

/// "[320, 4, 3, 3]", for messages.
std::string shape_text(at::IntArrayRef shape);

class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// The tensor in whatever dtype it is stored. Throws LoadError naming tensor, expected and found shape.
  virtual at::Tensor take(const std::string& name, at::IntArrayRef shape) = 0;
  [[nodiscard]] virtual bool contains(const std::string& name) const = 0;
  /// Names of stored tensors that nobody took, in order.
  [[nodiscard]] virtual std::vector<std::string> unused() const { return {}; }
  /// Numbers in all the stored tensors; 0 where nothing is stored.
  [[nodiscard]] virtual std::int64_t elements() const { return 0; }
  /// All of it will be read soon, in about the order in which it lies.
  virtual void will_read() const {}
};

/// Numbers in the tensors whose names begin so.
std::int64_t elements_below(const SafetensorsFile& file, std::string_view prefix);

/// Tensors of one or several safetensors files (a sharded model is several). Not thread-safe.
class FileWeights final : public WeightSource {
 public:
  /// Throws LoadError when a file is broken or two files hold the same tensor.
  explicit FileWeights(const std::vector<std::filesystem::path>& files);

  at::Tensor take(const std::string& name, at::IntArrayRef shape) override;
  [[nodiscard]] bool contains(const std::string& name) const override;
  [[nodiscard]] std::vector<std::string> unused() const override;
  [[nodiscard]] std::int64_t elements() const override;
  void will_read() const override;

 private:
  std::vector<SafetensorsFile> files_;
  std::set<std::string> taken_;
};

}  // namespace waggle::pipeline

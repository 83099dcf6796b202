// One directory of reference numbers: a JSON file that describes them and the safetensors file that holds
// them.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "pipeline/weights/safetensors.h"

namespace waggle::golden {

class GoldenSet {
 public:
  /// `stem`: "golden", "scheduler_golden", ... Throws std::runtime_error when a file is missing or broken.
  GoldenSet(const std::filesystem::path& dir, const std::string& stem);

  [[nodiscard]] bool has(const std::string& tensor) const { return tensors_.contains(tensor); }
  [[nodiscard]] at::Tensor tensor(const std::string& name) const { return tensors_.tensor(name); }
  /// Thirty times the rounding that was measured between fp32 and fp64, plus 1e-5; `otherwise` where none was
  /// measured. Another order of summation gives a different, equally valid rounding.
  [[nodiscard]] double bound(const std::string& tensor, double otherwise) const;
  [[nodiscard]] const nlohmann::json& json() const { return json_; }

 private:
  nlohmann::json json_;
  pipeline::SafetensorsFile tensors_;
};

}  // namespace waggle::golden

// The curve of the loss as a CSV file that several stages and several runs append to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace waggle::training {

struct CurveRow {
  std::int64_t step = 0;
  double seconds = 0, loss = 0, rate = 0, gradient = 0;
};

class LossCurve {
 public:
  /// Drops the stage's rows behind `step`, which a killed run wrote after its last checkpoint, and appends
  /// from there. Throws std::runtime_error when the file cannot be written.
  LossCurve(const std::filesystem::path& file, std::string stage, std::int64_t step);
  void add(const CurveRow& row);

 private:
  std::string stage_;
  std::ofstream out_;
};

}  // namespace waggle::training

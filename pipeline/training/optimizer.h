// AdamW (Loshchilov and Hutter 2019) with clipping and an exponential moving average of the weights.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "pipeline/weights/weight_source.h"

namespace waggle::training {

struct OptimizerSettings {
  double (*pace)(const std::string& name) = nullptr;  ///< times the rate, for each parameter; null: 1
  double beta1 = 0.9, beta2 = 0.99, eps = 1e-8;
  double weight_decay = 0.01;  ///< of matrices and kernels only
  double clip = 1.0;           ///< longest gradient, over all parameters together
  double average = 0.999;      ///< share that the moving average keeps at each step, less at the start
};

class Optimizer {
 public:
  /// Call when the models are built, so that all parameters exist.
  Optimizer(const std::map<std::string, at::Tensor>& parameters, OptimizerSettings settings);

  /// One update. `gradients` in order of name; undefined ones count as zero. Returns the
  /// gradients' length before clipping; where that is not finite nothing is changed.
  double step(const std::vector<at::Tensor>& gradients, double rate);

  /// Averaged weights by name: what is exported.
  [[nodiscard]] std::map<std::string, at::Tensor> averaged() const;
  /// Weights, moments, averages and step under names of their own; load() takes the same back and throws
  /// LoadError when one is missing or misshapen.
  [[nodiscard]] std::map<std::string, at::Tensor> state() const;
  void load(pipeline::WeightSource& source);

  /// Exchanges weights and averages: once to try the averages out, once more to go on learning.
  void swap_averages();

 private:
  struct Entry {
    std::string name;
    at::Tensor value, first, second, average;
    double pace;
  };
  OptimizerSettings settings_;
  std::vector<Entry> entries_;
  std::int64_t steps_ = 0;
};

}  // namespace waggle::training

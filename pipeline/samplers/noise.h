// Where a sampler's random numbers come from: one stream per image, drawn in the order in which diffusers
// draws.
#pragma once

#include <cstdint>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace waggle::pipeline {

class NoiseSource {
 public:
  virtual ~NoiseSource() = default;
  /// Standard normal, fp32, on the CPU. **Randomness**: one draw of shape.numel() values.
  virtual at::Tensor draw(at::IntArrayRef shape) = 0;
};

/// The stream of `torch.Generator("cpu").manual_seed(seed)`: image i of a job uses seed + i.
class SeededNoise final : public NoiseSource {
 public:
  explicit SeededNoise(std::int64_t seed);
  at::Tensor draw(at::IntArrayRef shape) override;

 private:
  at::Generator generator_;
};

}  // namespace waggle::pipeline

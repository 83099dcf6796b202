// SeededNoise: PyTorch's CPU generator, so that a seed means the same picture here and in Python.
#include "pipeline/samplers/noise.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>

namespace waggle::pipeline {

SeededNoise::SeededNoise(std::int64_t seed)
    : generator_(at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed))) {}

at::Tensor SeededNoise::draw(at::IntArrayRef shape) {
  return at::randn(shape, generator_, at::TensorOptions().dtype(at::kFloat).device(at::kCPU));
}

}  // namespace waggle::pipeline

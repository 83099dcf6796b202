// What a sampler is handed: its walk, its image's noise, and the three translations that all papers take for
// granted (latents to network input, network output to x0, network output to noise).
#pragma once

#include <ATen/core/Tensor.h>

#include "pipeline/samplers/coroutine.h"
#include "pipeline/samplers/noise.h"
#include "pipeline/samplers/walk.h"

namespace waggle::pipeline {

/// Cheap to copy. The walk and the noise source must outlive it.
class SamplerContext {
 public:
  SamplerContext(const Walk& walk, NoiseSource& noise) : walk_(&walk), noise_(&noise) {}

  [[nodiscard]] const Walk& walk() const { return *walk_; }
  [[nodiscard]] const SolverOptions& solver() const { return walk_->solver; }
  [[nodiscard]] int first() const { return walk_->first_step; }
  [[nodiscard]] int steps() const { return static_cast<int>(walk_->steps.size()); }
  [[nodiscard]] const Step& step(int i) const { return walk_->steps[static_cast<std::size_t>(i)]; }
  [[nodiscard]] const Evaluation& evaluation(int e) const {
    return walk_->evaluations[static_cast<std::size_t>(e)];
  }

  /// The question of evaluation e about latents x (in the sampler's own scale).
  [[nodiscard]] Question ask(int e, const at::Tensor& x) const;
  /// The picture that the network's output implies at evaluation e; clipped where the model asks for it.
  [[nodiscard]] at::Tensor denoised(int e, const at::Tensor& x, const at::Tensor& out) const;
  /// The noise that it implies.
  [[nodiscard]] at::Tensor noise_in(int e, const at::Tensor& x, const at::Tensor& out) const;
  /// **Randomness**: one draw of x's shape from the image's stream, on x's device.
  [[nodiscard]] at::Tensor draw(const at::Tensor& x) const;

 private:
  const Walk* walk_;
  NoiseSource* noise_;
};

}  // namespace waggle::pipeline

// v as in "Progressive Distillation" (arXiv 2202.00512, app. D): with u = x / norm = cos(phi) x0 + sin(phi)
// eps, v = cos(phi) eps - sin(phi) x0, so x0 = cos(phi) u - sin(phi) v and eps = cos(phi) v + sin(phi) u.
#include "pipeline/samplers/context.h"

#include <ATen/TensorOperators.h>

namespace waggle::pipeline {

Question SamplerContext::ask(int e, const at::Tensor& x) const {
  const Evaluation& asked = evaluation(e);
  // Variance-preserving latents are not touched: a norm of 1 +- 1e-16 must not cost a rounding.
  return asked.at.alpha == 1.0 ? Question(x / asked.at.norm(), asked.t) : Question(x, asked.t);
}

at::Tensor SamplerContext::denoised(int e, const at::Tensor& x, const at::Tensor& out) const {
  const Level& at = evaluation(e).at;
  const double norm = at.norm();
  at::Tensor x0;
  switch (walk_->prediction) {
    case Prediction::epsilon:
      x0 = (x - at.sigma * out) / at.alpha;
      break;
    case Prediction::v_prediction:
      x0 = (at.alpha / (norm * norm)) * x - (at.sigma / norm) * out;
      break;
    case Prediction::sample:
      x0 = out;
      break;
  }
  return walk_->clip ? x0.clamp(-*walk_->clip, *walk_->clip) : x0;
}

at::Tensor SamplerContext::noise_in(int e, const at::Tensor& x, const at::Tensor& out) const {
  const Level& at = evaluation(e).at;
  const double norm = at.norm();
  switch (walk_->prediction) {
    case Prediction::v_prediction:
      return (at.alpha / norm) * out + (at.sigma / (norm * norm)) * x;
    case Prediction::sample:
      return (x - at.alpha * out) / at.sigma;
    case Prediction::epsilon:
      break;
  }
  return out;
}

at::Tensor SamplerContext::draw(const at::Tensor& x) const { return noise_->draw(x.sizes()).to(x.options()); }

}  // namespace waggle::pipeline

// Taking moments, and normalising by given ones.
#include "pipeline/models/shared_moments.h"

#include <stdexcept>

#include <ATen/Functions.h>

namespace waggle::pipeline {

SharedMoments::Moments SharedMoments::take(const GroupNorm& norm, const at::Tensor& x) {
  const at::Tensor groups = x.to(at::kFloat).reshape({1, norm.groups, -1});
  auto [variance, mean] = at::var_mean(groups, {2}, /*unbiased=*/false);
  return {mean, variance};
}

at::Tensor SharedMoments::then_silu(const GroupNorm& norm, const at::Tensor& x) {
  if (recording_) moments_.push_back(take(norm, x));
  if (next_ >= moments_.size()) throw std::logic_error("more normalisations than were recorded");
  const auto& [mean, variance] = moments_[next_++];
  const std::int64_t channels = x.size(1), per_group = channels / norm.groups;
  const auto per_channel = [&](const at::Tensor& value) {
    return value.repeat_interleave(per_group, 1).view({1, channels, 1, 1});
  };
  const at::Tensor scale =
      per_channel(at::rsqrt(variance + norm.eps)) * norm.weights.weight.view({1, channels, 1, 1});
  const at::Tensor shift = norm.weights.bias.view({1, channels, 1, 1}) - per_channel(mean) * scale;
  at::Tensor y = at::addcmul(shift, x.to(at::kFloat), scale);
  return at::silu_(y).to(x.scalar_type());
}

}  // namespace waggle::pipeline

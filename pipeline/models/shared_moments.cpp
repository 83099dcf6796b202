// Taking moments over crops, and normalising by given ones.
#include "pipeline/models/shared_moments.h"

#include <stdexcept>

#include <ATen/Functions.h>

namespace waggle::pipeline {

void SharedMoments::record(std::int64_t margin, std::int64_t side) {
  moments_.clear();
  next_ = 0;
  recording_ = true;
  margin_ = margin;
  side_ = side;
}

SharedMoments::Moments SharedMoments::take(const GroupNorm& norm, const at::Tensor& x) const {
  const auto rim = [&](std::int64_t length) { return length * margin_ / side_; };
  const std::int64_t top = rim(x.size(2)), left = rim(x.size(3));
  const at::Tensor inner = x.narrow(2, top, x.size(2) - 2 * top).narrow(3, left, x.size(3) - 2 * left);
  const at::Tensor groups =
      inner.to(at::kFloat)
          .reshape({inner.size(0), norm.groups, inner.size(1) / norm.groups, inner.size(2), inner.size(3)});
  auto [variance, mean] = at::var_mean(groups, {0, 2, 3, 4}, /*unbiased=*/false);
  return {mean.unsqueeze(0), variance.unsqueeze(0)};
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

// Taking layers out of a checkpoint.
#include "pipeline/models/layers.h"

namespace waggle::pipeline {

ops::Weight Builder::take(std::string_view layer, std::string_view leaf, at::IntArrayRef shape) const {
  std::string name = path(layer) + "." + std::string(leaf);
  at::Tensor stored = source_->take(name, shape);
  return {std::move(stored), keeper_, std::move(name)};
}

Convolution Builder::convolution(std::string_view name, std::int64_t in, std::int64_t out, int kernel,
                                 int stride, int padding) const {
  const ops::ConvolutionGeometry geometry{stride, padding < 0 ? kernel / 2 : padding};
  return {ops_->convolution(take(name, "weight", {out, in, kernel, kernel}), take(name, "bias", {out}),
                            geometry)};
}

Convolution Builder::convolution_without_bias(std::string_view name, std::int64_t in,
                                              std::int64_t out) const {
  return {ops_->convolution(take(name, "weight", {out, in, 3, 3}), {}, {1, 1})};
}

Linear Builder::linear(std::string_view name, std::int64_t in, std::int64_t out, bool bias) const {
  return {ops_->linear(take(name, "weight", {out, in}), bias ? take(name, "bias", {out}) : ops::Weight())};
}

Linear Builder::geglu_linear(std::string_view name, std::int64_t in, std::int64_t out) const {
  return {ops_->geglu_linear(take(name, "weight", {2 * out, in}), take(name, "bias", {2 * out}))};
}

Linear Builder::pointwise(std::string_view name, std::int64_t in, std::int64_t out,
                          bool stored_as_convolution) const {
  if (!stored_as_convolution) return linear(name, in, out);
  const std::string weight = path(name) + ".weight";
  const at::Tensor stored = source_->take(weight, {out, in, 1, 1}).view({out, in});
  return {ops_->linear({stored, keeper_, weight}, take(name, "bias", {out}))};
}

GroupNorm Builder::group_norm(std::string_view name, std::int64_t channels, int groups, double eps) const {
  if (groups <= 0 || channels % groups != 0)
    throw LoadError(path(name) + ": " + std::to_string(channels) + " channels do not divide into " +
                    std::to_string(groups) + " groups");
  return {ops_, ops_->norm(take(name, "weight", {channels}), take(name, "bias", {channels})), groups, eps};
}

LayerNorm Builder::layer_norm(std::string_view name, std::int64_t channels, double eps) const {
  return {ops_, ops_->norm(take(name, "weight", {channels}), take(name, "bias", {channels})), eps};
}

at::Tensor Builder::constant(std::string_view name, at::IntArrayRef shape) const {
  return ops_->constant({source_->take(path(name), shape), keeper_, path(name)});
}

}  // namespace waggle::pipeline

// The kernels' place in autograd.
#include "pipeline/training/fused_operations.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "pipeline/training/fused_geglu_kernels.h"
#include "pipeline/training/fused_norm_kernels.h"

namespace waggle::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const std::uint16_t* bits(const at::Tensor& x) { return static_cast<const std::uint16_t*>(x.data_ptr()); }
std::uint16_t* bits_of(at::Tensor& x) { return static_cast<std::uint16_t*>(x.data_ptr()); }

NormShape shape_of(const at::Tensor& x, std::int64_t groups, double eps, bool silu) {
  return {x.size(0), x.size(2) * x.size(3), x.size(1), groups, eps, silu};
}

struct FusedNorm : torch::autograd::Function<FusedNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, std::int64_t groups, double eps, bool silu) {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor y = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
    at::Tensor mean = at::empty({x.size(0), groups}, weight.options()), rstd = at::empty_like(mean);
    group_norm_forward(shape_of(x, groups, eps, silu), bits(x), weight.data_ptr<float>(),
                       bias.data_ptr<float>(), bits_of(y), mean.data_ptr<float>(), rstd.data_ptr<float>());
    context->save_for_backward({x, weight, bias, mean, rstd});
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    context->saved_data["silu"] = silu;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &mean = saved[3], &rstd = saved[4];
    const at::Tensor dy = gradients[0].to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor dx = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
    at::Tensor d_weight = at::zeros_like(weight), d_bias = at::zeros_like(bias);
    const NormShape shape =
        shape_of(x, context->saved_data["groups"].toInt(), context->saved_data["eps"].toDouble(),
                 context->saved_data["silu"].toBool());
    group_norm_backward(shape, bits(x), bits(dy), weight.data_ptr<float>(), bias.data_ptr<float>(),
                        mean.data_ptr<float>(), rstd.data_ptr<float>(), bits_of(dx),
                        d_weight.data_ptr<float>(), d_bias.data_ptr<float>());
    return {dx, d_weight, d_bias, {}, {}, {}};
  }
};

struct FusedGeglu : torch::autograd::Function<FusedGeglu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input) {
    const at::Tensor x = input.contiguous();
    auto shape = x.sizes().vec();
    shape.back() /= 2;
    at::Tensor y = at::empty(shape, x.options());
    geglu_forward(y.numel() / shape.back(), shape.back(), bits(x), bits_of(y));
    context->save_for_backward({x});
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor x = context->get_saved_variables()[0];
    const at::Tensor dy = gradients[0].to(at::kBFloat16).contiguous();
    at::Tensor dx = at::empty_like(x);
    geglu_backward(dy.numel() / dy.size(-1), dy.size(-1), bits(x), bits(dy), bits_of(dx));
    return {dx};
  }
};

bool in_lanes(const at::Tensor& x, std::int64_t channels) {
  return x.scalar_type() == at::kBFloat16 && x.is_cpu() && channels % 16 == 0;
}

}  // namespace

bool can_fuse_norm(const at::Tensor& x, int groups) {
  return in_lanes(x, x.size(1)) && x.size(1) % groups == 0;
}

bool can_fuse_geglu(const at::Tensor& x) { return x.size(-1) % 2 == 0 && in_lanes(x, x.size(-1) / 2); }

at::Tensor fused_group_norm(const at::Tensor& x, const pipeline::ops::NormWeights& weights, int groups,
                            double eps, bool silu) {
  return FusedNorm::apply(x, weights.weight, weights.bias, std::int64_t{groups}, eps, silu);
}

at::Tensor fused_geglu(const at::Tensor& x) { return FusedGeglu::apply(x); }

}  // namespace waggle::training

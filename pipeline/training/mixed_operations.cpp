// Differentiable operations: libtorch's own but for the fused norm.
#include "pipeline/training/mixed_operations.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "pipeline/training/fused_operations.h"

namespace waggle::training {
namespace {

namespace ops = pipeline::ops;

class MixedConvolution final : public ops::Convolution {
 public:
  MixedConvolution(at::Tensor weight, at::Tensor bias, ops::ConvolutionGeometry geometry, at::ScalarType type)
      : weight_(std::move(weight)), bias_(std::move(bias)), geometry_(geometry), type_(type) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const override {
    const at::Tensor w = weight_.to(type_).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor y = at::conv2d(x.to(type_).contiguous(at::MemoryFormat::ChannelsLast), w,
                                    bias_.to(type_), geometry_.stride, geometry_.padding);
    return residual.defined() ? residual + y : y;
  }

 private:
  at::Tensor weight_, bias_;
  ops::ConvolutionGeometry geometry_;
  at::ScalarType type_;
};

class MixedLinear final : public ops::Linear {
 public:
  MixedLinear(at::Tensor weight, at::Tensor bias, at::ScalarType type)
      : weight_(std::move(weight)), bias_(std::move(bias)), type_(type) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const override {
    const at::Tensor y =
        at::linear(x.to(type_), weight_.to(type_), bias_.defined() ? bias_.to(type_) : bias_);
    return residual.defined() ? residual + y : y;
  }

 private:
  at::Tensor weight_, bias_;
  at::ScalarType type_;
};

class MixedOperations final : public ops::Operations {
 public:
  explicit MixedOperations(at::ScalarType type) : type_(type) {}

  std::string_view name() const override { return "training"; }
  at::TensorOptions activations() const override { return at::TensorOptions(at::kCPU).dtype(type_); }

  std::unique_ptr<ops::Convolution> convolution(const ops::Weight& weight, const ops::Weight& bias,
                                                ops::ConvolutionGeometry geometry) const override {
    return std::make_unique<MixedConvolution>(weight.stored(), bias.stored(), geometry, type_);
  }
  std::unique_ptr<ops::Linear> linear(const ops::Weight& weight, const ops::Weight& bias) const override {
    return std::make_unique<MixedLinear>(weight.stored(), bias.stored(), type_);
  }
  ops::NormWeights norm(const ops::Weight& weight, const ops::Weight& bias) const override {
    return {weight.stored(), bias.stored()};
  }
  at::Tensor constant(const ops::Weight& value) const override { return value.stored(); }

  at::Tensor group_norm(const at::Tensor& x, const ops::NormWeights& w, int groups, double eps,
                        bool silu) const override {
    if (can_fuse_norm(x, groups)) return fused_group_norm(x, w, groups, eps, silu);
    const at::Tensor y =
        at::group_norm(x.to(at::kFloat).contiguous(), groups, w.weight, w.bias, eps, /*cudnn_enabled=*/false);
    return (silu ? at::silu(y) : y).to(type_);
  }
  at::Tensor layer_norm(const at::Tensor& x, const ops::NormWeights& w, double eps) const override {
    return at::layer_norm(x.to(at::kFloat), {x.size(-1)}, w.weight, w.bias, eps).to(type_);
  }
  at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads,
                       bool causal) const override {
    const std::int64_t batch = q.size(0), queries = q.size(1), keys = k.size(1), width = q.size(2) / heads;
    const auto split = [&](const at::Tensor& x, std::int64_t length) {
      return x.reshape({batch, length, heads, width}).transpose(1, 2).reshape({batch * heads, length, width});
    };
    const at::Tensor qh = split(q * (1.0 / std::sqrt(static_cast<double>(width))), queries);
    at::Tensor scores = at::bmm(qh, split(k, keys).transpose(1, 2));  // [B*heads, Lq, Lk]
    if (causal)
      scores =
          scores + at::full({queries, keys}, -std::numeric_limits<float>::infinity(), activations()).triu(1);
    const at::Tensor out = at::bmm(at::softmax(scores, -1, at::kFloat).to(type_), split(v, keys));
    return out.view({batch, heads, queries, width}).transpose(1, 2).reshape({batch, queries, heads * width});
  }
  at::Tensor geglu(const at::Tensor& x) const override {
    if (can_fuse_geglu(x)) return fused_geglu(x);
    const auto halves = x.chunk(2, -1);
    return halves[0] * at::gelu(halves[1]);
  }
  /// Doubling as a view and one copy; libtorch 1.13's own is slow backwards over channels-last bf16.
  at::Tensor upsample_nearest(const at::Tensor& x, std::int64_t height, std::int64_t width) const override {
    const std::int64_t batch = x.size(0), channels = x.size(1), h = x.size(2), w = x.size(3);
    if (height != 2 * h || width != 2 * w) return at::upsample_nearest2d(x, {height, width});
    return x.permute({0, 2, 3, 1})
        .reshape({batch, h, 1, w, 1, channels})
        .expand({batch, h, 2, w, 2, channels})
        .reshape({batch, height, width, channels})
        .permute({0, 3, 1, 2});  // [B, C, 2h, 2w], channels last
  }
  at::Tensor silu(const at::Tensor& x) const override { return at::silu(x); }
  at::Tensor gelu(const at::Tensor& x) const override { return at::gelu(x); }
  at::Tensor quick_gelu(const at::Tensor& x) const override { return x * at::sigmoid(1.702 * x); }

 private:
  at::ScalarType type_;
};

}  // namespace

std::shared_ptr<const ops::Operations> mixed_operations(at::ScalarType precision) {
  return std::make_shared<MixedOperations>(precision);
}

}  // namespace waggle::training

// The reference implementation of the operations: plain libtorch calls.
//
// In half precisions norms and softmax are computed in fp32: libtorch 1.13's own bf16 group norm accumulates
// in bf16 on channels-last tensors and is wrong there.
#include <cmath>

#include <ATen/Functions.h>

#include "pipeline/ops/ops.h"

namespace waggle::pipeline::ops {
namespace {

class ReferenceConvolution final : public Convolution {
 public:
  ReferenceConvolution(at::Tensor weight, at::Tensor bias, ConvolutionGeometry geometry)
      : weight_(std::move(weight)), bias_(std::move(bias)), geometry_(geometry) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const override {
    at::Tensor y = at::conv2d(x, weight_, bias_, geometry_.stride, geometry_.padding);
    return residual.defined() ? y.add_(residual) : y;
  }

 private:
  at::Tensor weight_, bias_;
  ConvolutionGeometry geometry_;
};

class ReferenceLinear final : public Linear {
 public:
  ReferenceLinear(at::Tensor weight, at::Tensor bias) : weight_(std::move(weight)), bias_(std::move(bias)) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const override {
    at::Tensor y = at::linear(x, weight_, bias_);
    return residual.defined() ? y.add_(residual) : y;
  }

 private:
  at::Tensor weight_, bias_;
};

class ReferenceOperations final : public Operations {
 public:
  ReferenceOperations(at::Device device, at::ScalarType dtype)
      : options_(at::TensorOptions().device(device).dtype(dtype)), dtype_(dtype) {}

  std::string_view name() const override { return "reference"; }
  at::TensorOptions activations() const override { return options_; }

  std::unique_ptr<Convolution> convolution(const Weight& weight, const Weight& bias,
                                           ConvolutionGeometry geometry) const override {
    return std::make_unique<ReferenceConvolution>(constant(weight), constant(bias), geometry);
  }
  std::unique_ptr<Linear> linear(const Weight& weight, const Weight& bias) const override {
    return std::make_unique<ReferenceLinear>(constant(weight), constant(bias));
  }
  NormWeights norm(const Weight& weight, const Weight& bias) const override {
    return {here(weight, at::kFloat), here(bias, at::kFloat)};
  }
  at::Tensor constant(const Weight& value) const override { return here(value, dtype_); }

  at::Tensor group_norm(const at::Tensor& x, const NormWeights& w, int groups, double eps,
                        bool silu) const override {
    at::Tensor y =
        at::group_norm(x.to(at::kFloat).contiguous(), groups, w.weight, w.bias, eps, /*cudnn_enabled=*/true);
    if (silu) at::silu_(y);
    return y.to(dtype_);
  }
  at::Tensor layer_norm(const at::Tensor& x, const NormWeights& w, double eps) const override {
    return at::layer_norm(x.to(at::kFloat), {x.size(-1)}, w.weight, w.bias, eps).to(dtype_);
  }

  at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads,
                       bool causal) const override {
    const std::int64_t batch = q.size(0), queries = q.size(1), keys = k.size(1), width = q.size(2) / heads;
    const auto split = [&](const at::Tensor& x, std::int64_t length) {
      return x.view({batch, length, heads, width}).transpose(1, 2).reshape({batch * heads, length, width});
    };
    const at::Tensor qh = split(q, queries), kh = split(k, keys), vh = split(v, keys);  // [B*heads, L, d]
    at::Tensor mask;
    if (causal) mask = at::full({queries, keys}, -std::numeric_limits<float>::infinity(), options_).triu(1);
    const double scale = 1.0 / std::sqrt(static_cast<double>(width));

    // The score matrix is made for a slice of queries at a time, so that 65536 x 65536 scores (2048x2048
    // pixels) never exist at once.
    const std::int64_t slice =
        std::max<std::int64_t>(1, kMaxAttentionScores / std::max<std::int64_t>(1, batch * heads * keys));
    if (queries <= slice) return merge(attend(qh, kh, vh, mask, scale), batch, heads);
    at::Tensor out = at::empty_like(qh);
    for (std::int64_t first = 0; first < queries; first += slice) {
      const std::int64_t count = std::min(slice, queries - first);
      out.narrow(1, first, count)
          .copy_(attend(qh.narrow(1, first, count), kh, vh, causal ? mask.narrow(0, first, count) : mask,
                        scale));
    }
    return merge(out, batch, heads);
  }

  at::Tensor geglu(const at::Tensor& x) const override {
    const auto halves = x.chunk(2, -1);
    return halves[0] * at::gelu(halves[1]);
  }
  at::Tensor upsample_nearest(const at::Tensor& x, std::int64_t height, std::int64_t width) const override {
    return at::upsample_nearest2d(x, {height, width});
  }
  at::Tensor silu(const at::Tensor& x) const override { return at::silu(x); }
  at::Tensor gelu(const at::Tensor& x) const override { return at::gelu(x); }
  at::Tensor quick_gelu(const at::Tensor& x) const override { return x * at::sigmoid(1.702 * x); }

 private:
  [[nodiscard]] at::Tensor here(const Weight& weight, at::ScalarType dtype) const {
    if (!weight.defined()) return {};
    return options_.device().is_cpu() ? weight.as(dtype) : weight.stored().to(options_.dtype(dtype));
  }
  at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask,
                    double scale) const {
    at::Tensor scores = at::bmm(q, k.transpose(1, 2)).mul_(scale);  // [B*heads, Lq, Lk]
    if (mask.defined()) scores += mask;
    return at::bmm(at::softmax(scores, -1, at::kFloat).to(dtype_), v);
  }
  static at::Tensor merge(const at::Tensor& x, std::int64_t batch, int heads) {
    const std::int64_t length = x.size(1), width = x.size(2);
    return x.view({batch, heads, length, width}).transpose(1, 2).reshape({batch, length, heads * width});
  }

  at::TensorOptions options_;
  at::ScalarType dtype_;
};

}  // namespace

std::shared_ptr<const Operations> reference_operations(at::Device device, at::ScalarType dtype) {
  return std::make_shared<ReferenceOperations>(device, dtype);
}

}  // namespace waggle::pipeline::ops

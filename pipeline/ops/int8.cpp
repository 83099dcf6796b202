// int8 layers over other operations.
#include "pipeline/ops/int8.h"

#include <string>
#include <utility>

#include "pipeline/ops/quantized.h"
#if defined(WAGGLE_ONEDNN)
#include "pipeline/ops/onednn_int8.h"
#endif

namespace waggle::pipeline::ops {
namespace {

class LossyConvolution final : public Convolution {
 public:
  explicit LossyConvolution(std::unique_ptr<Convolution> inner) : inner_(std::move(inner)) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const override {
    return inner_->forward(with_loss(x, x.size(0)), residual);
  }

 private:
  std::unique_ptr<Convolution> inner_;
};

class LossyLinear final : public Linear {
 public:
  explicit LossyLinear(std::unique_ptr<Linear> inner) : inner_(std::move(inner)) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const override {
    return inner_->forward(with_loss(x, x.numel() / x.size(-1)), residual);
  }

 private:
  std::unique_ptr<Linear> inner_;
};

/// The first and the last convolution cost nothing, and what they lose nobody makes good.
bool is_worth_it(const Weight& weight) {
  constexpr std::int64_t kNarrow = 32;
  return weight.size(0) >= kNarrow && weight.size(1) >= kNarrow;
}

/// Convolutions of 1x1 bring what was never normalised past a block: channels of very different size, where
/// the small ones would be lost (demo model, 20 steps: 3.8 % off instead of 2.0 %).
bool stays_exact(const Weight& convolution) { return !is_worth_it(convolution) || convolution.size(2) == 1; }

bool multiplies_bytes([[maybe_unused]] const Operations& inner) {
#if defined(WAGGLE_ONEDNN)
  return inner.name() != "reference" && onednn_multiplies_bytes();
#else
  return false;
#endif
}

class Int8Operations final : public Operations {
 public:
  explicit Int8Operations(std::shared_ptr<const Operations> inner)
      : inner_(std::move(inner)),
        name_(std::string(inner_->name()) + "_int8"),
        in_bytes_(multiplies_bytes(*inner_)) {}

  std::string_view name() const override { return name_; }
  at::TensorOptions activations() const override { return inner_->activations(); }
  // What stays as it is takes a thirty-second more (SD 1.5: 2.7 %).
  std::int64_t weight_bytes(std::int64_t elements) const override {
    return in_bytes_ ? elements + elements / 32 : inner_->weight_bytes(elements);
  }

  std::unique_ptr<Convolution> convolution(const Weight& weight, const Weight& bias,
                                           ConvolutionGeometry geometry) const override {
    if (stays_exact(weight)) return inner_->convolution(weight, bias, geometry);
#if defined(WAGGLE_ONEDNN)
    if (in_bytes_) return onednn_int8_convolution(weight, bias, geometry);
#endif
    return std::make_unique<LossyConvolution>(
        inner_->convolution(dequantized(quantized_weight(weight.stored())), bias, geometry));
  }
  std::unique_ptr<Linear> linear(const Weight& weight, const Weight& bias) const override {
    if (!is_worth_it(weight)) return inner_->linear(weight, bias);
#if defined(WAGGLE_ONEDNN)
    if (in_bytes_) return onednn_int8_linear(weight, bias);
#endif
    return std::make_unique<LossyLinear>(
        inner_->linear(dequantized(quantized_weight(weight.stored())), bias));
  }

  NormWeights norm(const Weight& weight, const Weight& bias) const override {
    return inner_->norm(weight, bias);
  }
  at::Tensor constant(const Weight& value) const override { return inner_->constant(value); }
  at::Tensor group_norm(const at::Tensor& x, const NormWeights& w, int groups, double eps,
                        bool silu) const override {
    return inner_->group_norm(x, w, groups, eps, silu);
  }
  at::Tensor layer_norm(const at::Tensor& x, const NormWeights& w, double eps) const override {
    return inner_->layer_norm(x, w, eps);
  }
  at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads,
                       bool causal) const override {
    return inner_->attention(q, k, v, heads, causal);
  }
  at::Tensor geglu(const at::Tensor& x) const override { return inner_->geglu(x); }
  at::Tensor upsample_nearest(const at::Tensor& x, std::int64_t height, std::int64_t width) const override {
    return inner_->upsample_nearest(x, height, width);
  }
  at::Tensor silu(const at::Tensor& x) const override { return inner_->silu(x); }
  at::Tensor gelu(const at::Tensor& x) const override { return inner_->gelu(x); }
  at::Tensor quick_gelu(const at::Tensor& x) const override { return inner_->quick_gelu(x); }

 private:
  std::shared_ptr<const Operations> inner_;
  std::string name_;
  bool in_bytes_;
};

}  // namespace

std::shared_ptr<const Operations> with_int8_weights(std::shared_ptr<const Operations> inner) {
  return std::make_shared<Int8Operations>(std::move(inner));
}

}  // namespace waggle::pipeline::ops

// Timing and counting each operation.
#include "tests/pipeline/bench/measured_operations.h"

namespace waggle::bench {
namespace {

using namespace pipeline;
using Clock = std::chrono::steady_clock;

template <class Call>
at::Tensor timed(Ledger& ledger, const char* kind, double flop, const Call& call) {
  const auto begin = Clock::now();
  at::Tensor result = call();
  ledger.add(kind, std::chrono::duration<double>(Clock::now() - begin).count(), flop);
  return result;
}

class MeasuredConvolution final : public ops::Convolution {
 public:
  MeasuredConvolution(std::unique_ptr<ops::Convolution> inner, double per_output, Ledger& ledger)
      : inner_(std::move(inner)), per_output_(per_output), ledger_(ledger) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const override {
    const auto begin = Clock::now();
    at::Tensor y = inner_->forward(x, residual);
    ledger_.add("convolution", std::chrono::duration<double>(Clock::now() - begin).count(),
                per_output_ * static_cast<double>(y.numel()));
    return y;
  }

 private:
  std::unique_ptr<ops::Convolution> inner_;
  double per_output_;
  Ledger& ledger_;
};

class MeasuredLinear final : public ops::Linear {
 public:
  MeasuredLinear(std::unique_ptr<ops::Linear> inner, double per_output, Ledger& ledger)
      : inner_(std::move(inner)), per_output_(per_output), ledger_(ledger) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const override {
    const auto begin = Clock::now();
    at::Tensor y = inner_->forward(x, residual);
    ledger_.add("linear", std::chrono::duration<double>(Clock::now() - begin).count(),
                per_output_ * static_cast<double>(y.numel()));
    return y;
  }

 private:
  std::unique_ptr<ops::Linear> inner_;
  double per_output_;
  Ledger& ledger_;
};

class MeasuredOperations final : public ops::Operations {
 public:
  MeasuredOperations(std::shared_ptr<const ops::Operations> inner, Ledger& ledger)
      : inner_(std::move(inner)), ledger_(ledger) {}

  std::string_view name() const override { return inner_->name(); }
  at::TensorOptions activations() const override { return inner_->activations(); }
  std::unique_ptr<ops::Convolution> convolution(const ops::Weight& weight, const ops::Weight& bias,
                                                ops::ConvolutionGeometry geometry) const override {
    const double per_output = 2.0 * static_cast<double>(weight.size(1) * weight.size(2) * weight.size(3));
    return std::make_unique<MeasuredConvolution>(inner_->convolution(weight, bias, geometry), per_output,
                                                 ledger_);
  }
  std::unique_ptr<ops::Linear> linear(const ops::Weight& weight, const ops::Weight& bias) const override {
    const double per_output = 2.0 * static_cast<double>(weight.size(1));
    return std::make_unique<MeasuredLinear>(inner_->linear(weight, bias), per_output, ledger_);
  }
  std::unique_ptr<ops::Linear> geglu_linear(const ops::Weight& weight,
                                            const ops::Weight& bias) const override {
    const double per_output = 4.0 * static_cast<double>(weight.size(1));  // each of two columns
    return std::make_unique<MeasuredLinear>(inner_->geglu_linear(weight, bias), per_output, ledger_);
  }
  ops::NormWeights norm(const ops::Weight& weight, const ops::Weight& bias) const override {
    return inner_->norm(weight, bias);
  }
  at::Tensor constant(const ops::Weight& value) const override { return inner_->constant(value); }
  at::Tensor group_norm(const at::Tensor& x, const ops::NormWeights& w, int groups, double eps,
                        bool silu) const override {
    return timed(ledger_, "group_norm", 0, [&] { return inner_->group_norm(x, w, groups, eps, silu); });
  }
  at::Tensor layer_norm(const at::Tensor& x, const ops::NormWeights& w, double eps) const override {
    return timed(ledger_, "layer_norm", 0, [&] { return inner_->layer_norm(x, w, eps); });
  }
  at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads,
                       bool causal) const override {
    const double flop = 4.0 * static_cast<double>(q.size(0) * q.size(1) * k.size(1) * q.size(2));
    return timed(ledger_, "attention", flop, [&] { return inner_->attention(q, k, v, heads, causal); });
  }
  at::Tensor geglu(const at::Tensor& x) const override {
    return timed(ledger_, "geglu", 0, [&] { return inner_->geglu(x); });
  }
  at::Tensor upsample_nearest(const at::Tensor& x, std::int64_t height, std::int64_t width) const override {
    return timed(ledger_, "upsample", 0, [&] { return inner_->upsample_nearest(x, height, width); });
  }
  at::Tensor silu(const at::Tensor& x) const override {
    return timed(ledger_, "activation", 0, [&] { return inner_->silu(x); });
  }
  at::Tensor gelu(const at::Tensor& x) const override {
    return timed(ledger_, "activation", 0, [&] { return inner_->gelu(x); });
  }
  at::Tensor quick_gelu(const at::Tensor& x) const override {
    return timed(ledger_, "activation", 0, [&] { return inner_->quick_gelu(x); });
  }

 private:
  std::shared_ptr<const ops::Operations> inner_;
  Ledger& ledger_;
};

}  // namespace

std::shared_ptr<const ops::Operations> measured(std::shared_ptr<const ops::Operations> inner,
                                                Ledger& ledger) {
  return std::make_shared<MeasuredOperations>(std::move(inner), ledger);
}

}  // namespace waggle::bench

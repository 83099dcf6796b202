// Operations that are others in turn, for implementations that have nothing better.
#include "pipeline/ops/ops.h"

#include <utility>

namespace waggle::pipeline::ops {
namespace {

class ThenGeglu final : public Linear {
 public:
  ThenGeglu(const Operations& operations, std::unique_ptr<Linear> linear)
      : operations_(operations), linear_(std::move(linear)) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor&) const override {
    return operations_.geglu(linear_->forward(x, {}));
  }

 private:
  const Operations& operations_;
  std::unique_ptr<Linear> linear_;
};

}  // namespace

std::unique_ptr<Linear> Operations::geglu_linear(const Weight& weight, const Weight& bias) const {
  return std::make_unique<ThenGeglu>(*this, linear(weight, bias));
}

}  // namespace waggle::pipeline::ops

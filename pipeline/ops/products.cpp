// How a layer is divided: groups of columns whose weights fit the second cache, each with all the rows, some
// of them at a time.
#include "pipeline/ops/products.h"

#include <algorithm>
#include <cstring>

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

namespace waggle::pipeline::ops {
namespace {

using kernels::ProductKernels;
using kernels::ProductRows;
using Element = ProductRows::Element;

constexpr std::int64_t kBlock = 32;  ///< columns, and rows, that are multiplied at a time
/// Of the weights of a group, which stay in the second cache (2 MB) while the rows go by.
constexpr std::int64_t kGroupBytes = 1 << 20;
constexpr std::int64_t kParts = 64;  ///< of the rows

Element* elements(const at::Tensor& t) { return static_cast<Element*>(t.data_ptr()); }

constexpr std::int64_t ceil_div(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

class ProductLinear final : public Linear {
 public:
  /// `gated`: columns are packed so that 16 of the first half lie beside those of the second half that gate
  /// them.
  ProductLinear(const Weight& weight, const Weight& bias, bool gated, const ProductKernels& kernels)
      : kernels_(&kernels), columns_(weight.size(0)), depth_(weight.size(1)), gated_(gated) {
    packed_ =
        weight.in({gated ? "gated blocks of 32x32" : "blocks of 32x32", {2 * columns_ * depth_}, at::kByte},
                  [&](const at::Tensor& room) { pack(converted(weight.stored(), at::kBFloat16), room); });
    bias_ = bias.as(at::kFloat);
    if (gated && bias_.defined()) {
      const auto halves = bias_.view({2, columns_ / kBlock, kBlock / 2});
      bias_ = at::cat({halves[0], halves[1]}, 1).view({columns_});
    }
  }

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    const at::Tensor x = input.contiguous();
    auto sizes = x.sizes().vec();
    sizes.back() = gated_ ? columns_ / 2 : columns_;
    at::Tensor y = at::empty(sizes, x.options());
    const at::Tensor added = residual.defined() ? residual.contiguous() : residual;
    const std::int64_t count = x.numel() / depth_, whole = count / kBlock * kBlock;
    if (whole > 0) multiply(elements(x), 0, whole, added, y);
    if (whole < count) {
      // In a place where those up to a multiple of 32 can be read.
      const at::Tensor rest = at::empty({kBlock, depth_}, x.options());
      std::memcpy(rest.data_ptr(), elements(x) + whole * depth_,
                  static_cast<std::size_t>((count - whole) * depth_) * sizeof(Element));
      multiply(elements(rest), whole, count - whole, added, y);
    }
    return y;
  }

 private:
  void multiply(const Element* x, std::int64_t row, std::int64_t count, const at::Tensor& residual,
                const at::Tensor& y) const {
    const std::int64_t blocks = columns_ / kBlock, of_rows = ceil_div(count, kBlock);
    const std::int64_t groups = std::min(blocks, ceil_div(2 * columns_ * depth_, kGroupBytes)),
                       parts = std::min(of_rows, kParts), width = y.size(-1);
    const float* const bias = bias_.defined() ? bias_.data_ptr<float>() : nullptr;
    const auto some = [&](std::int64_t part) {
      const std::int64_t first = part * of_rows / parts * kBlock,
                         last = std::min(count, (part + 1) * of_rows / parts * kBlock);
      return ProductRows{x + first * depth_,
                         last - first,
                         depth_,
                         elements(y) + (row + first) * width,
                         residual.defined() ? elements(residual) + (row + first) * width : nullptr,
                         width};
    };
    // A thread's share is all rows with one group after the other, weighed by the group's size.
    at::parallel_for(0, blocks * parts, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t group = 0; group < groups; ++group) {
        const std::int64_t begin = group * blocks / groups, end = (group + 1) * blocks / groups;
        for (std::int64_t part = 0; part < parts; ++part) {
          const std::int64_t at = begin * parts + part * (end - begin);
          if (at >= first && at < last)
            (gated_ ? kernels_->multiply_gated : kernels_->multiply)(some(part), elements(packed_), bias,
                                                                     begin * kBlock, end * kBlock);
        }
      }
    });
  }

  void pack(const at::Tensor& weight, const at::Tensor& room) const {
    at::parallel_for(0, columns_ / kBlock, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t block = first; block < last; ++block) {
        const std::int64_t left = gated_ ? block * kBlock / 2 : block * kBlock,
                           right = left + (gated_ ? columns_ / 2 : kBlock / 2);
        kernels_->pack(elements(weight) + left * depth_, elements(weight) + right * depth_, depth_,
                       elements(room) + block * kBlock * depth_);
      }
    });
  }

  const ProductKernels* kernels_;
  std::int64_t columns_, depth_;
  bool gated_;
  at::Tensor packed_, bias_;
};

std::unique_ptr<Linear> made(const Weight& weight, const Weight& bias, bool gated,
                             const ProductKernels& kernels) {
  if (weight.size(0) % kBlock != 0 || weight.size(1) % kBlock != 0) return nullptr;
  return std::make_unique<ProductLinear>(weight, bias, gated, kernels);
}

}  // namespace

std::unique_ptr<Linear> product_linear(const Weight& weight, const Weight& bias,
                                       const ProductKernels& kernels) {
  return made(weight, bias, false, kernels);
}

std::unique_ptr<Linear> product_geglu(const Weight& weight, const Weight& bias,
                                      const ProductKernels& kernels) {
  return made(weight, bias, true, kernels);
}

}  // namespace waggle::pipeline::ops

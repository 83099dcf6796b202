// Operations in bf16 or fp32 on a CPU: kernels of our own, oneDNN for convolutions and products.
//
// Activations are channels-last ([B, C, h, w] with strides of [B, h, w, C]) or token rows ([B, L, C])
// throughout, so nothing is converted between two operations.
#include "pipeline/ops/fast.h"

#include "pipeline/kernels/kernels.h"

#if defined(WAGGLE_AVX512_KERNELS) && defined(WAGGLE_ONEDNN)

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/upsample_nearest2d.h>

#include "pipeline/ops/onednn.h"
#include "pipeline/ops/pointwise.h"
#include "pipeline/ops/products.h"

namespace waggle::pipeline::ops {
namespace {

using kernels::bf16_bits;
using kernels::Kernels;

template <class Element>
constexpr at::ScalarType kDtype = std::is_same_v<Element, bf16_bits> ? at::kBFloat16 : at::kFloat;

template <class Element>
Element* elements(const at::Tensor& t) {
  return static_cast<Element*>(t.data_ptr());
}

/// Rows of a map or of tokens: [B, C, h, w] channels-last or [..., C] -> number of rows of C.
at::Tensor as_rows(const at::Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x.contiguous();
}

/// Runs `body(first, last)` over pieces of [0, count) that are worth a thread.
template <class Body>
void over_rows(std::int64_t count, std::int64_t elements_per_row, const Body& body) {
  constexpr std::int64_t kElementsWorthAThread = 16 * 1024;
  at::parallel_for(
      0, count,
      std::max<std::int64_t>(1, kElementsWorthAThread / std::max<std::int64_t>(1, elements_per_row)), body);
}

struct Free {
  void operator()(void* p) const { std::free(p); }
};

template <class Element>
class FastOperations final : public Operations {
 public:
  /// `products`: null where linear layers are oneDNN's, as convolutions are.
  FastOperations(std::string_view name, const Kernels<Element>& kernels,
                 const kernels::ProductKernels* products)
      : name_(name), norms_(kernels.norms), attention_(kernels.attention), products_(products) {}

  std::string_view name() const override { return name_; }
  at::TensorOptions activations() const override {
    return at::TensorOptions(at::kCPU).dtype(kDtype<Element>);
  }

  std::unique_ptr<Convolution> convolution(const Weight& weight, const Weight& bias,
                                           ConvolutionGeometry geometry) const override {
    if (products_ != nullptr && is_pointwise(weight, geometry))
      if (auto made = product_linear(weight, bias, *products_))
        return std::make_unique<PointwiseConvolution>(std::move(made));
    return onednn_convolution(weight, bias, geometry, kDtype<Element>);
  }
  std::unique_ptr<Linear> linear(const Weight& weight, const Weight& bias) const override {
    if (products_ != nullptr)
      if (auto made = product_linear(weight, bias, *products_)) return made;
    return onednn_linear(weight, bias, kDtype<Element>);
  }
  std::unique_ptr<Linear> geglu_linear(const Weight& weight, const Weight& bias) const override {
    if (products_ != nullptr)
      if (auto made = product_geglu(weight, bias, *products_)) return made;
    return Operations::geglu_linear(weight, bias);
  }
  NormWeights norm(const Weight& weight, const Weight& bias) const override {
    return {weight.as(at::kFloat), bias.as(at::kFloat)};
  }
  at::Tensor constant(const Weight& value) const override { return value.as(kDtype<Element>); }

  at::Tensor group_norm(const at::Tensor& input, const NormWeights& w, int groups, double eps,
                        bool silu) const override {
    const at::Tensor x = as_rows(input);
    const std::int64_t batch = x.size(0), channels = x.size(1), rows = x.size(2) * x.size(3);
    // Moments per channel first, in slices of rows so that threads share one image.
    const std::int64_t slice = std::max<std::int64_t>(64, (rows + 63) / 64),
                       slices = (rows + slice - 1) / slice;
    std::vector<double> moments(static_cast<std::size_t>(batch * slices * 2 * channels), 0.0);
    over_rows(batch * slices, slice * channels, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t b = i / slices, row = i % slices * slice;
        double* sum = moments.data() + i * 2 * channels;
        norms_.channel_sums(elements<Element>(x) + (b * rows + row) * channels, std::min(slice, rows - row),
                            channels, sum, sum + channels);
      }
    });
    std::vector<float> scale(static_cast<std::size_t>(batch * channels)), shift(scale.size());
    for (std::int64_t b = 0; b < batch; ++b)
      fold(moments.data() + b * slices * 2 * channels, slices, rows, channels, groups, eps, w,
           scale.data() + b * channels, shift.data() + b * channels);
    at::Tensor y = at::empty_like(x);
    over_rows(batch * rows, channels, [&](std::int64_t first, std::int64_t last) {
      while (first < last) {
        const std::int64_t b = first / rows, count = std::min(last, (b + 1) * rows) - first;
        norms_.scale_shift(elements<Element>(x) + first * channels, count, channels,
                           scale.data() + b * channels, shift.data() + b * channels, silu,
                           elements<Element>(y) + first * channels);
        first += count;
      }
    });
    return y;
  }

  at::Tensor layer_norm(const at::Tensor& input, const NormWeights& w, double eps) const override {
    const at::Tensor x = input.contiguous();
    const std::int64_t width = x.size(-1);
    at::Tensor y = at::empty_like(x);
    over_rows(x.numel() / width, width, [&](std::int64_t first, std::int64_t last) {
      norms_.layer_norm(elements<Element>(x) + first * width, last - first, width, w.weight.data_ptr<float>(),
                        w.bias.data_ptr<float>(), static_cast<float>(eps),
                        elements<Element>(y) + first * width);
    });
    return y;
  }

  at::Tensor attention(const at::Tensor& q_in, const at::Tensor& k_in, const at::Tensor& v_in, int heads,
                       bool causal) const override {
    const std::int64_t width = q_in.size(2) / heads;
    if (causal || width % attention_.depth != 0)  // text encoders; their length is 77
      return reference_operations(at::kCPU, kDtype<Element>)->attention(q_in, k_in, v_in, heads, causal);
    const at::Tensor q = q_in.contiguous(), k = k_in.contiguous(), v = v_in.contiguous();
    const std::int64_t batch = q.size(0), queries = q.size(1), keys = k.size(1), channels = q.size(2);
    const kernels::AttentionHead head{queries, keys, width, channels, channels, channels, channels};

    const auto k_size = static_cast<std::int64_t>(attention_.packed_keys_size(keys, width));
    const auto v_size = static_cast<std::int64_t>(attention_.packed_values_size(keys, width));
    const at::Tensor packed = at::empty({batch * heads, k_size + v_size}, q.options());
    at::parallel_for(0, batch * heads, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t at = i / heads * keys * channels + i % heads * width;
        Element* out = elements<Element>(packed) + i * (k_size + v_size);
        attention_.pack_keys(elements<Element>(k) + at, head, out);
        attention_.pack_values(elements<Element>(v) + at, head, out + k_size);
      }
    });

    at::Tensor out = at::empty_like(q);
    const float scale = 1.0F / std::sqrt(static_cast<float>(width));
    // A task is 192 queries of one head: neighbours share the packed keys in the second cache.
    constexpr std::int64_t kTask = 192;
    const std::int64_t tasks = (queries + kTask - 1) / kTask;
    at::parallel_for(0, batch * heads * tasks, 1, [&](std::int64_t first, std::int64_t last) {
      const std::size_t bytes = (attention_.scratch_bytes(width) + 63) / 64 * 64;
      const std::unique_ptr<void, Free> scratch(std::aligned_alloc(64, bytes));
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t h = i / tasks, row = i % tasks * kTask;
        const std::int64_t at = h / heads * queries * channels + h % heads * width;
        const Element* keys_and_values = elements<Element>(packed) + h * (k_size + v_size);
        attention_.attend(elements<Element>(q) + at, keys_and_values, keys_and_values + k_size, head, scale,
                          row, std::min(queries, row + kTask), elements<Element>(out) + at, scratch.get());
      }
    });
    return out;
  }

  at::Tensor geglu(const at::Tensor& input) const override {
    const at::Tensor x = input.contiguous();
    auto sizes = x.sizes().vec();
    const std::int64_t width = sizes.back() /= 2;
    at::Tensor y = at::empty(sizes, x.options());
    over_rows(y.numel() / width, 2 * width, [&](std::int64_t first, std::int64_t last) {
      norms_.geglu(elements<Element>(x) + first * 2 * width, last - first, width,
                   elements<Element>(y) + first * width);
    });
    return y;
  }

  at::Tensor upsample_nearest(const at::Tensor& x, std::int64_t height, std::int64_t width) const override {
    return at::upsample_nearest2d(as_rows(x), {height, width});
  }
  at::Tensor silu(const at::Tensor& x) const override { return at::silu(x); }
  at::Tensor gelu(const at::Tensor& x) const override { return at::gelu(x); }
  at::Tensor quick_gelu(const at::Tensor& x) const override { return x * at::sigmoid(1.702 * x); }

 private:
  /// Moments of slices -> per channel factor and offset that normalise by group, weight and bias folded in.
  static void fold(const double* moments, std::int64_t slices, std::int64_t rows, std::int64_t channels,
                   int groups, double eps, const NormWeights& w, float* scale, float* shift) {
    const std::int64_t per_group = channels / groups;
    for (std::int64_t g = 0; g < groups; ++g) {
      double sum = 0, square = 0;
      for (std::int64_t s = 0; s < slices; ++s)
        for (std::int64_t c = g * per_group; c < (g + 1) * per_group; ++c) {
          sum += moments[s * 2 * channels + c];
          square += moments[s * 2 * channels + channels + c];
        }
      const double count = static_cast<double>(rows * per_group), mean = sum / count;
      const double inverse = 1.0 / std::sqrt(std::max(0.0, square / count - mean * mean) + eps);
      for (std::int64_t c = g * per_group; c < (g + 1) * per_group; ++c) {
        const double factor = inverse * static_cast<double>(w.weight.data_ptr<float>()[c]);
        scale[c] = static_cast<float>(factor);
        shift[c] = static_cast<float>(static_cast<double>(w.bias.data_ptr<float>()[c]) - mean * factor);
      }
    }
  }

  std::string_view name_;
  kernels::NormKernels<Element> norms_;
  kernels::AttentionKernels<Element> attention_;
  const kernels::ProductKernels* products_;
};

template <class Element>
std::shared_ptr<const Operations> with(std::string_view name, const Kernels<Element>* kernels,
                                       const kernels::ProductKernels* products = nullptr) {
  if (kernels == nullptr) return nullptr;
  return std::make_shared<FastOperations<Element>>(name, *kernels, products);
}

}  // namespace

std::shared_ptr<const Operations> amx_bf16_operations() {
  return with("amx_bf16", kernels::amx_bf16(), kernels::amx_products());
}
std::shared_ptr<const Operations> avx512_bf16_operations() {
  return with("avx512_bf16", kernels::avx512_bf16());
}
std::shared_ptr<const Operations> avx512_operations() { return with("avx512", kernels::avx512()); }
std::shared_ptr<const Operations> avx2_operations() { return with("avx2", kernels::avx2()); }

}  // namespace waggle::pipeline::ops

#else

namespace waggle::pipeline::ops {
std::shared_ptr<const Operations> amx_bf16_operations() { return nullptr; }
std::shared_ptr<const Operations> avx512_bf16_operations() { return nullptr; }
std::shared_ptr<const Operations> avx512_operations() { return nullptr; }
std::shared_ptr<const Operations> avx2_operations() { return nullptr; }
}  // namespace waggle::pipeline::ops

#endif

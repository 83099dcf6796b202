// Products of bytes are summed in 32 bits; scales, bias and residual follow as post-ops in fp32.
//
// oneDNN 2.6 has no scale for each row of a product, but multiplies by a tensor [1, rows, 1] where the
// product has three dimensions; a convolution takes no tensor that differs by image, so images go one by one.
#include "pipeline/ops/onednn_int8.h"

#include <array>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include "pipeline/ops/onednn_layer.h"
#include "pipeline/ops/quantized.h"

namespace waggle::pipeline::ops {
namespace {

using namespace onednn;

/// What follows the sum, in order. Collected once for the primitive and again, with tensors, for each run.
class After {
 public:
  void multiply(const memory::desc& by) { post_.append_binary(dnnl::algorithm::binary_mul, by); }
  void add(const memory::desc& what) { post_.append_binary(dnnl::algorithm::binary_add, what); }
  [[nodiscard]] dnnl::primitive_attr attributes() const {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    attr.set_post_ops(post_);
    return attr;
  }

 private:
  dnnl::post_ops post_;
};

class Int8Layer {
 public:
  Int8Layer(const Quantized& weight, const memory::desc& plain, const at::Tensor& bias)
      : weights_(weight.values, plain),
        scale_(weight.scale),
        bias_(bias.defined() ? bias.to(at::kFloat).contiguous() : bias) {}

 protected:
  using Arguments = std::unordered_map<int, memory>;

  /// Runs with `after` as the operands of the post-ops, in order.
  static void run(const Prepared& p, const memory& source, const memory& destination,
                  const std::vector<memory>& after) {
    const at::Tensor scratch = at::empty({static_cast<std::int64_t>(p.scratchpad.get_size())}, at::kByte);
    Arguments arguments{{DNNL_ARG_SRC, source},
                        {DNNL_ARG_WEIGHTS, p.weights},
                        {DNNL_ARG_DST, destination},
                        {DNNL_ARG_SCRATCHPAD, over(p.scratchpad, scratch)}};
    for (std::size_t i = 0; i < after.size(); ++i)
      arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(static_cast<int>(i)) | DNNL_ARG_SRC_1, after[i]);
    p.primitive.execute(stream(), arguments);
    stream().wait();
  }
  static Type type_of(const at::Tensor& x) {
    return x.scalar_type() == at::kBFloat16 ? Type::bf16 : Type::f32;
  }

  mutable PackedWeights weights_;
  at::Tensor scale_;  ///< [out]
  at::Tensor bias_;   ///< [out] or undefined
};

class OneDnnInt8Linear final : public Linear, private Int8Layer {
 public:
  OneDnnInt8Linear(const Quantized& weight, const at::Tensor& bias)
      : Int8Layer(weight, {{1, weight.values.size(1), weight.values.size(0)}, Type::s8, Tag::acb}, bias),
        in_(weight.values.size(1)),
        out_(weight.values.size(0)),
        per_column_({1, 1, out_}, Type::f32, Tag::abc) {}

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    const at::Tensor x = input.contiguous();
    const std::int64_t rows = x.numel() / in_;
    auto sizes = x.sizes().vec();
    sizes.back() = out_;
    at::Tensor y = at::empty(sizes, x.options());
    const at::Tensor added = residual.defined() ? residual.contiguous() : residual;
    const Quantized bytes = quantized(x, rows);
    const Prepared& p =
        prepared_.find({rows, residual.defined(), x.element_size()}, weights_,
                       [&](Prepared& fresh) { fill(fresh, rows, type_of(x), residual.defined()); });
    std::vector<memory> after{over(per_row(rows), bytes.scale), over(per_column_, scale_)};
    if (bias_.defined()) after.push_back(over(per_column_, bias_));
    if (added.defined()) after.push_back(over(p.destination, added));
    run(p, over(p.source, bytes.values), over(p.destination, y), after);
    return y;
  }

 private:
  static memory::desc per_row(std::int64_t rows) { return {{1, rows, 1}, Type::f32, Tag::abc}; }

  void fill(Prepared& p, std::int64_t rows, Type type, bool adds_residual) const {
    p.source = {{1, rows, in_}, Type::s8, Tag::abc};
    p.destination = {{1, rows, out_}, type, Tag::abc};
    After after;
    after.multiply(per_row(rows));
    after.multiply(per_column_);
    if (bias_.defined()) after.add(per_column_);
    if (adds_residual) after.add(p.destination);
    const dnnl::matmul::desc desc(p.source, {{1, in_, out_}, Type::s8, Tag::any}, p.destination);
    const dnnl::matmul::primitive_desc made(desc, after.attributes(), engine());
    p.primitive = dnnl::matmul(made);
    p.scratchpad = made.scratchpad_desc();
    p.weights = weights_.in(made.weights_desc());
  }

  std::int64_t in_, out_;
  memory::desc per_column_;
  mutable LatestPrepared<std::array<std::int64_t, 3>> prepared_;
};

class OneDnnInt8Convolution final : public Convolution, private Int8Layer {
 public:
  OneDnnInt8Convolution(const Quantized& weight, const at::Tensor& bias, ConvolutionGeometry geometry)
      : Int8Layer(weight, {weight.values.sizes().vec(), Type::s8, Tag::oihw}, bias),
        shape_(weight.values.sizes().vec()),
        geometry_(geometry),
        per_channel_({1, shape_[0], 1, 1}, Type::f32, Tag::abcd) {}

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const std::int64_t batch = x.size(0);
    const auto out_side = [&](std::int64_t side) {
      return (side + 2 * geometry_.padding - shape_[2]) / geometry_.stride + 1;
    };
    at::Tensor y = at::empty({batch, shape_[0], out_side(x.size(2)), out_side(x.size(3))},
                             x.options().memory_format(at::MemoryFormat::ChannelsLast));
    const at::Tensor added =
        residual.defined() ? residual.contiguous(at::MemoryFormat::ChannelsLast) : residual;
    const Quantized bytes = quantized(x, batch);
    const Prepared& p = prepared_.find({x.size(2), x.size(3), residual.defined(), x.element_size()}, weights_,
                                       [&](Prepared& fresh) { fill(fresh, x, y, residual.defined()); });
    for (std::int64_t i = 0; i < batch; ++i) {
      const at::Tensor scale = scale_ * bytes.scale[i];
      std::vector<memory> after{over(per_channel_, scale)};
      if (bias_.defined()) after.push_back(over(per_channel_, bias_));
      if (added.defined()) after.push_back(over(p.destination, added[i]));
      run(p, over(p.source, bytes.values[i]), over(p.destination, y[i]), after);
    }
    return y;
  }

 private:
  void fill(Prepared& p, const at::Tensor& x, const at::Tensor& y, bool adds_residual) const {
    p.source = {{1, x.size(1), x.size(2), x.size(3)}, Type::s8, Tag::nhwc};
    p.destination = {{1, y.size(1), y.size(2), y.size(3)}, type_of(x), Tag::nhwc};
    After after;
    after.multiply(per_channel_);
    if (bias_.defined()) after.add(per_channel_);
    if (adds_residual) after.add(p.destination);
    const memory::dims strides(2, geometry_.stride), padding(2, geometry_.padding);
    using Convolve = dnnl::convolution_forward;
    const Convolve::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                              p.source, {shape_, Type::s8, Tag::any}, p.destination, strides, padding,
                              padding);
    const Convolve::primitive_desc made(desc, after.attributes(), engine());
    p.primitive = Convolve(made);
    p.scratchpad = made.scratchpad_desc();
    p.weights = weights_.in(made.weights_desc());
  }

  std::vector<std::int64_t> shape_;
  ConvolutionGeometry geometry_;
  memory::desc per_channel_;
  mutable LatestPrepared<std::array<std::int64_t, 4>> prepared_;
};

}  // namespace

bool onednn_multiplies_bytes() {
  // Without VNNI oneDNN sums pairs of products in 16 bits, where they overflow.
  constexpr auto vnni = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_vnni);  // a set of bits
  return quantizes_to_bytes() && (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & vnni) == vnni;
}

std::unique_ptr<Convolution> onednn_int8_convolution(const at::Tensor& weight, const at::Tensor& bias,
                                                     ConvolutionGeometry geometry) {
  return std::make_unique<OneDnnInt8Convolution>(quantized_weight(weight), bias, geometry);
}

std::unique_ptr<Linear> onednn_int8_linear(const at::Tensor& weight, const at::Tensor& bias) {
  return std::make_unique<OneDnnInt8Linear>(quantized_weight(weight), bias);
}

}  // namespace waggle::pipeline::ops

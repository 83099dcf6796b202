// Products of bytes are summed in 32 bits and leave as bf16 or fp32; our own loop does the rest.
//
// Not post-ops of oneDNN: in 2.6 each of scale, bias and residual costs as much as the product itself (2048
// rows of 320 channels to 320: 0.18 ms bare, 1.15 ms with all of them).
#include "pipeline/ops/onednn_int8.h"

#include <array>
#include <vector>

#include <ATen/Functions.h>

#include "pipeline/ops/onednn_layer.h"
#include "pipeline/ops/quantized.h"

namespace waggle::pipeline::ops {
namespace {

using namespace onednn;

Type type_of(const at::Tensor& x) { return x.scalar_type() == at::kBFloat16 ? Type::bf16 : Type::f32; }

dnnl::primitive_attr plain_attributes() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

class Int8Layer {
 public:
  Int8Layer(const Quantized& weight, const memory::desc& plain, const at::Tensor& bias)
      : weights_(weight.values, plain),
        scale_(weight.scale),
        bias_(bias.defined() ? bias.to(at::kFloat).contiguous() : at::zeros_like(weight.scale)) {}

 protected:
  void run(const Prepared& p, const Quantized& x, const at::Tensor& residual, const at::Tensor& y) const {
    const at::Tensor scratch = at::empty({static_cast<std::int64_t>(p.scratchpad.get_size())}, at::kByte);
    p.primitive.execute(stream(), {{DNNL_ARG_SRC, over(p.source, x.values)},
                                   {DNNL_ARG_WEIGHTS, p.weights},
                                   {DNNL_ARG_DST, over(p.destination, y)},
                                   {DNNL_ARG_SCRATCHPAD, over(p.scratchpad, scratch)}});
    stream().wait();
    scale_back(y, x.scale, scale_, bias_, residual);
  }

  mutable PackedWeights weights_;
  at::Tensor scale_, bias_;  ///< [out] fp32
};

class OneDnnInt8Linear final : public Linear, private Int8Layer {
 public:
  OneDnnInt8Linear(const Quantized& weight, const at::Tensor& bias)
      : Int8Layer(weight, {{weight.values.size(1), weight.values.size(0)}, Type::s8, Tag::ba}, bias),
        in_(weight.values.size(1)),
        out_(weight.values.size(0)) {}

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    const at::Tensor x = input.contiguous();
    const std::int64_t rows = x.numel() / in_;
    auto sizes = x.sizes().vec();
    sizes.back() = out_;
    at::Tensor y = at::empty(sizes, x.options());
    const Prepared& p = prepared_.find({rows, x.element_size()}, weights_,
                                       [&](Prepared& fresh) { fill(fresh, rows, type_of(x)); });
    run(p, quantized(x, rows), residual.defined() ? residual.contiguous() : residual, y);
    return y;
  }

 private:
  void fill(Prepared& p, std::int64_t rows, Type type) const {
    p.source = {{rows, in_}, Type::s8, Tag::ab};
    p.destination = {{rows, out_}, type, Tag::ab};
    const dnnl::matmul::desc desc(p.source, {{in_, out_}, Type::s8, Tag::any}, p.destination);
    const dnnl::matmul::primitive_desc made(desc, plain_attributes(), engine());
    p.primitive = dnnl::matmul(made);
    p.scratchpad = made.scratchpad_desc();
    p.weights = weights_.in(made.weights_desc());
  }

  std::int64_t in_, out_;
  mutable LatestPrepared<std::array<std::int64_t, 2>> prepared_;
};

class OneDnnInt8Convolution final : public Convolution, private Int8Layer {
 public:
  OneDnnInt8Convolution(const Quantized& weight, const at::Tensor& bias, ConvolutionGeometry geometry)
      : Int8Layer(weight, {weight.values.sizes().vec(), Type::s8, Tag::oihw}, bias),
        shape_(weight.values.sizes().vec()),
        geometry_(geometry) {}

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    constexpr auto channels_last = at::MemoryFormat::ChannelsLast;
    const at::Tensor x = input.contiguous(channels_last);
    const auto out_side = [&](std::int64_t side) {
      return (side + 2 * geometry_.padding - shape_[2]) / geometry_.stride + 1;
    };
    at::Tensor y = at::empty({x.size(0), shape_[0], out_side(x.size(2)), out_side(x.size(3))},
                             x.options().memory_format(channels_last));
    const Prepared& p = prepared_.find({x.size(0), x.size(2), x.size(3), x.element_size()}, weights_,
                                       [&](Prepared& fresh) { fill(fresh, x, y); });
    run(p, quantized(x, x.size(0)), residual.defined() ? residual.contiguous(channels_last) : residual, y);
    return y;
  }

 private:
  void fill(Prepared& p, const at::Tensor& x, const at::Tensor& y) const {
    p.source = {x.sizes().vec(), Type::s8, Tag::nhwc};
    p.destination = {y.sizes().vec(), type_of(x), Tag::nhwc};
    const memory::dims strides(2, geometry_.stride), padding(2, geometry_.padding);
    using Convolve = dnnl::convolution_forward;
    const Convolve::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                              p.source, {shape_, Type::s8, Tag::any}, p.destination, strides, padding,
                              padding);
    const Convolve::primitive_desc made(desc, plain_attributes(), engine());
    p.primitive = Convolve(made);
    p.scratchpad = made.scratchpad_desc();
    p.weights = weights_.in(made.weights_desc());
  }

  std::vector<std::int64_t> shape_;
  ConvolutionGeometry geometry_;
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

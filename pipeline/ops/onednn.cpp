// oneDNN primitives, one set for each of the last input shapes, over weights in the layout that the first of
// them asked for.
#include "pipeline/ops/onednn.h"

#include <array>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <ATen/Functions.h>

#include "pipeline/ops/onednn_layer.h"

namespace waggle::pipeline::ops {
namespace {

using namespace onednn;

Type type_of(const at::Tensor& weight) {
  return weight.scalar_type() == at::kBFloat16 ? Type::bf16 : Type::f32;
}

/// In fp32 the residual lies in the destination before the primitive runs: its fastest convolutions take no
/// other tensor (oneDNN 2.6: 235 GFLOP/s a core instead of 176), which is worth a copy.
bool adds_in_place(Type type) { return type == Type::f32; }

dnnl::primitive_attr attributes(bool adds_residual, const memory::desc& destination) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (adds_residual) {
    dnnl::post_ops post;
    if (adds_in_place(destination.data_type()))
      post.append_sum();
    else
      post.append_binary(dnnl::algorithm::binary_add, destination);
    attr.set_post_ops(post);
  }
  return attr;
}

/// What convolution and linear have in common: running a prepared primitive.
class Layer {
 public:
  /// `bias_dims`: as the primitive takes its bias, of any layout.
  Layer(const at::Tensor& weight, const memory::desc& plain, const at::Tensor& bias, memory::dims bias_dims)
      : type_(type_of(weight)),
        weights_(weight.contiguous(), plain),
        bias_(bias.defined() ? bias.to(at::kFloat).contiguous() : bias),
        bias_desc_(bias_dims, Type::f32, bias_dims.size() == 1 ? Tag::a : Tag::ab) {}

 protected:
  [[nodiscard]] bool has_bias() const { return bias_.defined(); }
  [[nodiscard]] const memory::desc& bias_desc() const { return bias_desc_; }

  void run(const Prepared& p, const at::Tensor& x, const at::Tensor& residual, at::Tensor& y) const {
    const at::Tensor scratch = at::empty({static_cast<std::int64_t>(p.scratchpad.get_size())}, at::kByte);
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, over(p.source, x)},
                                              {DNNL_ARG_WEIGHTS, p.weights},
                                              {DNNL_ARG_DST, over(p.destination, y)},
                                              {DNNL_ARG_SCRATCHPAD, over(p.scratchpad, scratch)}};
    if (has_bias()) arguments.emplace(DNNL_ARG_BIAS, over(bias_desc_, bias_));
    if (residual.defined() && adds_in_place(type_))
      y.copy_(residual);
    else if (residual.defined())
      arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, over(p.destination, residual));
    p.primitive.execute(stream(), arguments);
    stream().wait();
  }

  Type type_;  ///< of weights and activations
  mutable PackedWeights weights_;
  at::Tensor bias_;
  memory::desc bias_desc_;
};

/// The first that oneDNN offers, but its direct convolution on AMX where that exists. oneDNN 2.6 puts batched
/// products before it: a little faster at 320 channels, 1.1 to 1.5 times as long at 1280 and more and in the
/// VAE, and without a residual. Both cases share one layout of the weights this way.
dnnl::convolution_forward::primitive_desc chosen(const dnnl::convolution_forward::desc& desc,
                                                 const dnnl::primitive_attr& attr) {
  using Made = dnnl::convolution_forward::primitive_desc;
  const auto is = [](const Made& made, std::string_view name) {
    return std::string_view(made.impl_info_str()).starts_with(name);
  };
  Made first(desc, attr, engine());
  if (!is(first, "brgconv:avx512_core_amx")) return first;
  Made direct(desc, attr, engine());  // copies share their position among the implementations
  while (direct.next_impl())
    if (is(direct, "jit:avx512_core_amx")) return direct;
  return first;
}

class OneDnnConvolution final : public Convolution, private Layer {
 public:
  OneDnnConvolution(const at::Tensor& weight, const at::Tensor& bias, ConvolutionGeometry geometry)
      : Layer(weight, {weight.sizes().vec(), type_of(weight), Tag::oihw}, bias, {weight.size(0)}),
        shape_(weight.sizes().vec()),
        geometry_(geometry) {}

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const std::int64_t batch = x.size(0), kernel = shape_[2];
    const auto out_side = [&](std::int64_t side) {
      return (side + 2 * geometry_.padding - kernel) / geometry_.stride + 1;
    };
    at::Tensor y = at::empty({batch, shape_[0], out_side(x.size(2)), out_side(x.size(3))},
                             x.options().memory_format(at::MemoryFormat::ChannelsLast));
    const at::Tensor added =
        residual.defined() ? residual.contiguous(at::MemoryFormat::ChannelsLast) : residual;
    run(prepare(x, y, residual.defined()), x, added, y);
    return y;
  }

 private:
  const Prepared& prepare(const at::Tensor& x, const at::Tensor& y, bool adds_residual) const {
    return prepared_.find({x.size(0), x.size(2), x.size(3), adds_residual}, weights_,
                          [&](Prepared& p) { fill(p, x, y, adds_residual); });
  }

  void fill(Prepared& p, const at::Tensor& x, const at::Tensor& y, bool adds_residual) const {
    p.source = {x.sizes().vec(), type_, Tag::nhwc};
    p.destination = {y.sizes().vec(), type_, Tag::nhwc};
    const memory::desc any(shape_, type_, Tag::any);
    const memory::dims strides(2, geometry_.stride), padding(2, geometry_.padding);
    using Convolve = dnnl::convolution_forward;
    const auto desc =
        has_bias() ? Convolve::desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                    p.source, any, bias_desc(), p.destination, strides, padding, padding)
                   : Convolve::desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                    p.source, any, p.destination, strides, padding, padding);
    const Convolve::primitive_desc made = chosen(desc, attributes(adds_residual, p.destination));
    p.primitive = Convolve(made);
    p.scratchpad = made.scratchpad_desc();
    p.weights = weights_.in(made.weights_desc());  // a shared handle
  }

  std::vector<std::int64_t> shape_;
  ConvolutionGeometry geometry_;
  mutable LatestPrepared<std::array<std::int64_t, 4>> prepared_;
};

/// A matrix product, not an inner product: that one has no fast kernel that adds a residual too (oneDNN 2.6).
class OneDnnLinear final : public Linear, private Layer {
 public:
  OneDnnLinear(const at::Tensor& weight, const at::Tensor& bias)
      : Layer(weight, {{weight.size(1), weight.size(0)}, type_of(weight), Tag::ba}, bias,
              {1, weight.size(0)}),
        in_(weight.size(1)),
        out_(weight.size(0)) {}

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    const at::Tensor x = input.contiguous();
    auto sizes = x.sizes().vec();
    sizes.back() = out_;
    at::Tensor y = at::empty(sizes, x.options());
    const at::Tensor added = residual.defined() ? residual.contiguous() : residual;
    run(prepare(x.numel() / in_, residual.defined()), x, added, y);
    return y;
  }

 private:
  const Prepared& prepare(std::int64_t rows, bool adds_residual) const {
    return prepared_.find({rows, adds_residual}, weights_,
                          [&](Prepared& p) { fill(p, rows, adds_residual); });
  }

  void fill(Prepared& p, std::int64_t rows, bool adds_residual) const {
    p.source = {{rows, in_}, type_, Tag::ab};
    p.destination = {{rows, out_}, type_, Tag::ab};
    const memory::desc any({in_, out_}, type_, Tag::any);
    using Product = dnnl::matmul;
    const auto desc = has_bias() ? Product::desc(p.source, any, bias_desc(), p.destination)
                                 : Product::desc(p.source, any, p.destination);
    const Product::primitive_desc made(desc, attributes(adds_residual, p.destination), engine());
    p.primitive = Product(made);
    p.scratchpad = made.scratchpad_desc();
    p.weights = weights_.in(made.weights_desc());  // a shared handle
  }

  std::int64_t in_, out_;
  mutable LatestPrepared<std::array<std::int64_t, 2>> prepared_;
};

}  // namespace

std::unique_ptr<Convolution> onednn_convolution(const at::Tensor& weight, const at::Tensor& bias,
                                                ConvolutionGeometry geometry) {
  return std::make_unique<OneDnnConvolution>(weight, bias, geometry);
}

std::unique_ptr<Linear> onednn_linear(const at::Tensor& weight, const at::Tensor& bias) {
  return std::make_unique<OneDnnLinear>(weight, bias);
}

}  // namespace waggle::pipeline::ops

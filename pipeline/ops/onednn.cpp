// oneDNN primitives, one set for each of the last input shapes, over weights that were packed before the
// first.
#include "pipeline/ops/onednn.h"

#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <ATen/Functions.h>

#include "pipeline/ops/onednn_layer.h"
#include "pipeline/ops/pointwise.h"

namespace waggle::pipeline::ops {
namespace {

using namespace onednn;

/// What the weights are packed for. Other sizes want the same layout, but for a few layers with few
/// weights (oneDNN 2.6: convolutions of 1x1, and products of less than 64 rows with 64 columns).
constexpr std::int64_t kUsualBatch = 2, kUsualSide = 32, kUsualRows = 1024;

Type type_of(at::ScalarType dtype) { return dtype == at::kBFloat16 ? Type::bf16 : Type::f32; }

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
  Layer(const Weight& bias, memory::dims bias_dims, Type type)
      : type_(type),
        bias_(bias.as(at::kFloat)),
        bias_desc_(bias_dims, Type::f32, bias_dims.size() == 1 ? Tag::a : Tag::ab) {}

 protected:
  /// To be called once, before anything else. `tag`: how a weight of `dims` is stored.
  void pack(const Weight& weight, const memory::dims& dims, Tag tag, const memory::desc& assumed) {
    const at::ScalarType dtype = type_ == Type::bf16 ? at::kBFloat16 : at::kFloat;
    weights_.emplace(weight, assumed, memory::desc(dims, type_, tag),
                     [&] { return converted(weight.stored(), dtype); });
  }
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
  mutable std::optional<PackedWeights> weights_;
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
  OneDnnConvolution(const Weight& weight, const Weight& bias, ConvolutionGeometry geometry, Type type)
      : Layer(bias, {weight.size(0)}, type), shape_(weight.stored().sizes().vec()), geometry_(geometry) {
    pack(weight, shape_, Tag::oihw,
         described(kUsualBatch, kUsualSide, kUsualSide, false).made.weights_desc());
  }

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor y = at::empty({x.size(0), shape_[0], out_side(x.size(2)), out_side(x.size(3))},
                             x.options().memory_format(at::MemoryFormat::ChannelsLast));
    const at::Tensor added =
        residual.defined() ? residual.contiguous(at::MemoryFormat::ChannelsLast) : residual;
    run(prepare(x, residual.defined()), x, added, y);
    return y;
  }

 private:
  struct Described {
    memory::desc source, destination;
    dnnl::convolution_forward::primitive_desc made;
  };

  std::int64_t out_side(std::int64_t side) const {
    return (side + 2 * geometry_.padding - shape_[2]) / geometry_.stride + 1;
  }

  const Prepared& prepare(const at::Tensor& x, bool adds_residual) const {
    return prepared_.find({x.size(0), x.size(2), x.size(3), adds_residual}, *weights_, [&](Prepared& p) {
      const Described described = this->described(x.size(0), x.size(2), x.size(3), adds_residual);
      p.source = described.source;
      p.destination = described.destination;
      p.primitive = dnnl::convolution_forward(described.made);
      p.scratchpad = described.made.scratchpad_desc();
      p.weights = weights_->in(described.made.weights_desc());  // a shared handle
    });
  }

  Described described(std::int64_t batch, std::int64_t height, std::int64_t width, bool adds_residual) const {
    Described d;
    d.source = {{batch, shape_[1], height, width}, type_, Tag::nhwc};
    d.destination = {{batch, shape_[0], out_side(height), out_side(width)}, type_, Tag::nhwc};
    const memory::desc any(shape_, type_, Tag::any);
    const memory::dims strides(2, geometry_.stride), padding(2, geometry_.padding);
    using Convolve = dnnl::convolution_forward;
    const auto desc =
        has_bias() ? Convolve::desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                    d.source, any, bias_desc(), d.destination, strides, padding, padding)
                   : Convolve::desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                    d.source, any, d.destination, strides, padding, padding);
    d.made = chosen(desc, attributes(adds_residual, d.destination));
    return d;
  }

  std::vector<std::int64_t> shape_;
  ConvolutionGeometry geometry_;
  mutable LatestPrepared<std::array<std::int64_t, 4>> prepared_;
};

/// A matrix product, not an inner product: that one has no fast kernel that adds a residual too (oneDNN 2.6).
class OneDnnLinear final : public Linear, private Layer {
 public:
  OneDnnLinear(const Weight& weight, const Weight& bias, Type type)
      : Layer(bias, {1, weight.size(0)}, type), in_(weight.size(1)), out_(weight.size(0)) {
    pack(weight, {in_, out_}, Tag::ba, made_for(kUsualRows, false).weights_desc());
  }

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
    return prepared_.find({rows, adds_residual}, *weights_, [&](Prepared& p) {
      const dnnl::matmul::primitive_desc made = made_for(rows, adds_residual);
      p.source = source(rows);
      p.destination = destination(rows);
      p.primitive = dnnl::matmul(made);
      p.scratchpad = made.scratchpad_desc();
      p.weights = weights_->in(made.weights_desc());  // a shared handle
    });
  }

  memory::desc source(std::int64_t rows) const { return {{rows, in_}, type_, Tag::ab}; }
  memory::desc destination(std::int64_t rows) const { return {{rows, out_}, type_, Tag::ab}; }

  dnnl::matmul::primitive_desc made_for(std::int64_t rows, bool adds_residual) const {
    const memory::desc any({in_, out_}, type_, Tag::any), to = destination(rows);
    using Product = dnnl::matmul;
    const auto desc =
        has_bias() ? Product::desc(source(rows), any, bias_desc(), to) : Product::desc(source(rows), any, to);
    return {desc, attributes(adds_residual, to), engine()};
  }

  std::int64_t in_, out_;
  mutable LatestPrepared<std::array<std::int64_t, 2>> prepared_;
};

}  // namespace

std::string onednn_layouts() {
  const dnnl::version_t* version = dnnl::version();
  return "onednn " + std::to_string(version->major) + '.' + std::to_string(version->minor) + '.' +
         std::to_string(version->patch) + ' ' + version->hash + ' ' +
         std::to_string(static_cast<unsigned>(dnnl::get_effective_cpu_isa()));
}

std::unique_ptr<Convolution> onednn_convolution(const Weight& weight, const Weight& bias,
                                                ConvolutionGeometry geometry, at::ScalarType dtype) {
  // Not its convolutions of 1x1: on AMX the one with a residual writes past its result where the cells are
  // few (oneDNN 2.6: 3 maps of 5x9).
  if (is_pointwise(weight, geometry))
    return std::make_unique<PointwiseConvolution>(onednn_linear(weight, bias, dtype));
  return std::make_unique<OneDnnConvolution>(weight, bias, geometry, type_of(dtype));
}

std::unique_ptr<Linear> onednn_linear(const Weight& weight, const Weight& bias, at::ScalarType dtype) {
  return std::make_unique<OneDnnLinear>(weight, bias, type_of(dtype));
}

}  // namespace waggle::pipeline::ops

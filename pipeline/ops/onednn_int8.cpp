// Products of bytes are summed in 32 bits and leave as bf16 or fp32; our own loop does the rest.
//
// Not post-ops of oneDNN: in 2.6 each of scale, bias and residual costs as much as the product itself (2048
// rows of 320 channels to 320: 0.18 ms bare, 1.15 ms with all of them).
#include "pipeline/ops/onednn_int8.h"

#include <array>
#include <optional>
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

/// What the weights are packed for; see onednn.cpp.
constexpr std::int64_t kUsualBatch = 2, kUsualSide = 32, kUsualRows = 1024;

class Int8Layer {
 public:
  explicit Int8Layer(const Weight& bias) : bias_(bias.as(at::kFloat)) {}

 protected:
  /// To be called once, before anything else. `tag`: how a weight of `dims` is stored.
  void pack(const Weight& weight, const memory::dims& dims, Tag tag, const memory::desc& assumed) {
    std::optional<Quantized> made;
    const auto quantized = [&]() -> const Quantized& {
      if (!made) made = quantized_weight(weight.stored());
      return *made;
    };
    scale_ = weight.in({"scale of bytes", {weight.size(0)}, at::kFloat},
                       [&](const at::Tensor& room) { room.copy_(quantized().scale); });
    weights_.emplace(weight, assumed, memory::desc(dims, Type::s8, tag), [&] { return quantized().values; });
    if (!bias_.defined()) bias_ = at::zeros_like(scale_);
  }
  void run(const Prepared& p, const Quantized& x, const at::Tensor& residual, const at::Tensor& y) const {
    const at::Tensor scratch = at::empty({static_cast<std::int64_t>(p.scratchpad.get_size())}, at::kByte);
    p.primitive.execute(stream(), {{DNNL_ARG_SRC, over(p.source, x.values)},
                                   {DNNL_ARG_WEIGHTS, p.weights},
                                   {DNNL_ARG_DST, over(p.destination, y)},
                                   {DNNL_ARG_SCRATCHPAD, over(p.scratchpad, scratch)}});
    stream().wait();
    scale_back(y, x.scale, scale_, bias_, residual);
  }

  mutable std::optional<PackedWeights> weights_;
  at::Tensor scale_, bias_;  ///< [out] fp32
};

class OneDnnInt8Linear final : public Linear, private Int8Layer {
 public:
  OneDnnInt8Linear(const Weight& weight, const Weight& bias)
      : Int8Layer(bias), in_(weight.size(1)), out_(weight.size(0)) {
    pack(weight, {in_, out_}, Tag::ba, made_for(kUsualRows, Type::bf16).weights_desc());
  }

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    const at::Tensor x = input.contiguous();
    const std::int64_t rows = x.numel() / in_;
    auto sizes = x.sizes().vec();
    sizes.back() = out_;
    at::Tensor y = at::empty(sizes, x.options());
    const Prepared& p = prepared_.find({rows, x.element_size()}, *weights_, [&](Prepared& fresh) {
      const dnnl::matmul::primitive_desc made = made_for(rows, type_of(x));
      fresh.source = source(rows);
      fresh.destination = destination(rows, type_of(x));
      fresh.primitive = dnnl::matmul(made);
      fresh.scratchpad = made.scratchpad_desc();
      fresh.weights = weights_->in(made.weights_desc());
    });
    run(p, quantized(x, rows), residual.defined() ? residual.contiguous() : residual, y);
    return y;
  }

 private:
  memory::desc source(std::int64_t rows) const { return {{rows, in_}, Type::s8, Tag::ab}; }
  memory::desc destination(std::int64_t rows, Type type) const { return {{rows, out_}, type, Tag::ab}; }

  dnnl::matmul::primitive_desc made_for(std::int64_t rows, Type type) const {
    const dnnl::matmul::desc desc(source(rows), {{in_, out_}, Type::s8, Tag::any}, destination(rows, type));
    return {desc, plain_attributes(), engine()};
  }

  std::int64_t in_, out_;
  mutable LatestPrepared<std::array<std::int64_t, 2>> prepared_;
};

class OneDnnInt8Convolution final : public Convolution, private Int8Layer {
 public:
  OneDnnInt8Convolution(const Weight& weight, const Weight& bias, ConvolutionGeometry geometry)
      : Int8Layer(bias), shape_(weight.stored().sizes().vec()), geometry_(geometry) {
    pack(weight, shape_, Tag::oihw,
         described(kUsualBatch, kUsualSide, kUsualSide, Type::bf16).made.weights_desc());
  }

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    constexpr auto channels_last = at::MemoryFormat::ChannelsLast;
    const at::Tensor x = input.contiguous(channels_last);
    at::Tensor y = at::empty({x.size(0), shape_[0], out_side(x.size(2)), out_side(x.size(3))},
                             x.options().memory_format(channels_last));
    const Prepared& p =
        prepared_.find({x.size(0), x.size(2), x.size(3), x.element_size()}, *weights_, [&](Prepared& fresh) {
          const Described described = this->described(x.size(0), x.size(2), x.size(3), type_of(x));
          fresh.source = described.source;
          fresh.destination = described.destination;
          fresh.primitive = dnnl::convolution_forward(described.made);
          fresh.scratchpad = described.made.scratchpad_desc();
          fresh.weights = weights_->in(described.made.weights_desc());
        });
    run(p, quantized(x, x.size(0)), residual.defined() ? residual.contiguous(channels_last) : residual, y);
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

  Described described(std::int64_t batch, std::int64_t height, std::int64_t width, Type type) const {
    Described d;
    d.source = {{batch, shape_[1], height, width}, Type::s8, Tag::nhwc};
    d.destination = {{batch, shape_[0], out_side(height), out_side(width)}, type, Tag::nhwc};
    const memory::dims strides(2, geometry_.stride), padding(2, geometry_.padding);
    using Convolve = dnnl::convolution_forward;
    const Convolve::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                              d.source, {shape_, Type::s8, Tag::any}, d.destination, strides, padding,
                              padding);
    d.made = {desc, plain_attributes(), engine()};
    return d;
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

std::unique_ptr<Convolution> onednn_int8_convolution(const Weight& weight, const Weight& bias,
                                                     ConvolutionGeometry geometry) {
  return std::make_unique<OneDnnInt8Convolution>(weight, bias, geometry);
}

std::unique_ptr<Linear> onednn_int8_linear(const Weight& weight, const Weight& bias) {
  return std::make_unique<OneDnnInt8Linear>(weight, bias);
}

}  // namespace waggle::pipeline::ops

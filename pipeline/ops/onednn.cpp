// oneDNN primitives, one set for each of the last input shapes, over weights in the layout that the first of
// them asked for.
#include "pipeline/ops/onednn.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <oneapi/dnnl/dnnl.hpp>

namespace waggle::pipeline::ops {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}
dnnl::stream& stream() {
  thread_local dnnl::stream own(engine());
  return own;
}

memory over(const memory::desc& desc, const at::Tensor& tensor) {
  return {desc, engine(), tensor.data_ptr()};
}

Type type_of(const at::Tensor& weight) {
  return weight.scalar_type() == at::kBFloat16 ? Type::bf16 : Type::f32;
}

/// Weights that are kept in whatever layout the primitives want; a primitive that wants another one gets its
/// own copy.
class PackedWeights {
 public:
  PackedWeights(const at::Tensor& plain, const memory::desc& desc) : plain_(plain), plain_desc_(desc) {}

  const memory& in(const memory::desc& wanted) {
    for (const memory& copy : copies_)
      if (copy.get_desc() == wanted) return copy;
    memory packed(wanted, engine());
    // After the first packing the plain weights are gone; other layouts are made from that one.
    memory source = copies_.empty() ? over(plain_desc_, plain_) : copies_.front();
    dnnl::reorder(source, packed).execute(stream(), source, packed);
    stream().wait();
    plain_.reset();
    return copies_.emplace_back(std::move(packed));
  }
  /// Drops the copies that `is_wanted` denies; never the one that others are made from.
  template <class Predicate>
  void keep(const Predicate& is_wanted) {
    if (copies_.empty()) return;
    copies_.erase(std::remove_if(copies_.begin() + 1, copies_.end(),
                                 [&](const memory& copy) { return !is_wanted(copy.get_desc()); }),
                  copies_.end());
  }

 private:
  at::Tensor plain_;
  memory::desc plain_desc_;
  std::vector<memory> copies_;
};

/// A primitive with what it needs beside source and destination.
struct Prepared {
  dnnl::primitive primitive;
  memory::desc source, destination, scratchpad;
  memory weights;
};

/// What was prepared for the shapes that came last, the latest first. A worker sees shapes without end
/// (sizes, batches, tiles), each of them worth some tens of kilobytes of code in each of hundreds of layers.
template <class Key>
class LatestPrepared {
 public:
  /// Enough for one picture size at the batches that jobs joining and leaving make of it.
  static constexpr std::size_t kMost = 8;

  /// `make(Prepared&)` fills what is not there; what is dropped for it takes its copy of the weights along
  /// where nothing else uses that.
  template <class Make>
  const Prepared& find(const Key& key, PackedWeights& weights, const Make& make) {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const auto& entry) { return entry.first == key; });
    if (found != all_.end()) {
      std::rotate(all_.begin(), found, found + 1);
      return all_.front().second;
    }
    Prepared fresh;
    make(fresh);
    const bool full = all_.size() == kMost;
    if (full) all_.pop_back();
    all_.emplace(all_.begin(), key, std::move(fresh));
    if (full)
      weights.keep([&](const memory::desc& desc) {
        return std::any_of(all_.begin(), all_.end(),
                           [&](const auto& entry) { return entry.second.weights.get_desc() == desc; });
      });
    return all_.front().second;
  }

 private:
  std::vector<std::pair<Key, Prepared>> all_;
};

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
  Layer(const at::Tensor& weight, Tag layout, const at::Tensor& bias)
      : type_(type_of(weight)),
        weights_(weight.contiguous(), {weight.sizes().vec(), type_, layout}),
        bias_(bias.defined() ? bias.to(at::kFloat).contiguous() : bias) {}

 protected:
  [[nodiscard]] bool has_bias() const { return bias_.defined(); }
  [[nodiscard]] memory::desc bias_desc(std::int64_t out) const { return {{out}, Type::f32, Tag::a}; }

  void run(const Prepared& p, const at::Tensor& x, const at::Tensor& residual, at::Tensor& y) const {
    const at::Tensor scratch = at::empty({static_cast<std::int64_t>(p.scratchpad.get_size())}, at::kByte);
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, over(p.source, x)},
                                              {DNNL_ARG_WEIGHTS, p.weights},
                                              {DNNL_ARG_DST, over(p.destination, y)},
                                              {DNNL_ARG_SCRATCHPAD, over(p.scratchpad, scratch)}};
    if (has_bias()) arguments.emplace(DNNL_ARG_BIAS, over(bias_desc(bias_.numel()), bias_));
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
};

class OneDnnConvolution final : public Convolution, private Layer {
 public:
  OneDnnConvolution(const at::Tensor& weight, const at::Tensor& bias, ConvolutionGeometry geometry)
      : Layer(weight, Tag::oihw, bias), shape_(weight.sizes().vec()), geometry_(geometry) {}

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
        has_bias()
            ? Convolve::desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                             p.source, any, bias_desc(shape_[0]), p.destination, strides, padding, padding)
            : Convolve::desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                             p.source, any, p.destination, strides, padding, padding);
    const Convolve::primitive_desc made(desc, attributes(adds_residual, p.destination), engine());
    p.primitive = Convolve(made);
    p.scratchpad = made.scratchpad_desc();
    p.weights = weights_.in(made.weights_desc());  // a shared handle
  }

  std::vector<std::int64_t> shape_;
  ConvolutionGeometry geometry_;
  mutable LatestPrepared<std::array<std::int64_t, 4>> prepared_;
};

class OneDnnLinear final : public Linear, private Layer {
 public:
  OneDnnLinear(const at::Tensor& weight, const at::Tensor& bias)
      : Layer(weight, Tag::ab, bias), shape_(weight.sizes().vec()) {}

  at::Tensor forward(const at::Tensor& input, const at::Tensor& residual) const override {
    const at::Tensor x = input.contiguous();
    auto sizes = x.sizes().vec();
    sizes.back() = shape_[0];
    at::Tensor y = at::empty(sizes, x.options());
    const at::Tensor added = residual.defined() ? residual.contiguous() : residual;
    run(prepare(x.numel() / shape_[1], residual.defined()), x, added, y);
    return y;
  }

 private:
  const Prepared& prepare(std::int64_t rows, bool adds_residual) const {
    return prepared_.find({rows, adds_residual}, weights_,
                          [&](Prepared& p) { fill(p, rows, adds_residual); });
  }

  void fill(Prepared& p, std::int64_t rows, bool adds_residual) const {
    p.source = {{rows, shape_[1]}, type_, Tag::ab};
    p.destination = {{rows, shape_[0]}, type_, Tag::ab};
    const memory::desc any(shape_, type_, Tag::any);
    using Product = dnnl::inner_product_forward;
    const auto desc = has_bias()
                          ? Product::desc(dnnl::prop_kind::forward_inference, p.source, any,
                                          bias_desc(shape_[0]), p.destination)
                          : Product::desc(dnnl::prop_kind::forward_inference, p.source, any, p.destination);
    const Product::primitive_desc made(desc, attributes(adds_residual, p.destination), engine());
    p.primitive = Product(made);
    p.scratchpad = made.scratchpad_desc();
    p.weights = weights_.in(made.weights_desc());  // a shared handle
  }

  std::vector<std::int64_t> shape_;
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

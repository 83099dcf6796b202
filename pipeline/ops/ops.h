// The small set of operations that the models are written against.
//
// Each device and precision has an implementation; plain libtorch (pipeline/ops/reference.h) is the first of
// each and stays the one that others are checked against. An Operations is chosen once, when a model is
// loaded. A model never mentions a device or a dtype; it hands over weights as stored, and they are converted
// and packed here, once.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "pipeline/ops/weight.h"

namespace waggle::pipeline::ops {

/// A 2-d convolution with its weights. **Shape**: [B, in, h, w] -> [B, out, h', w'].
class Convolution {
 public:
  virtual ~Convolution() = default;
  /// `residual`, shaped as the result, is added when defined.
  [[nodiscard]] virtual at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const = 0;
};

/// y = x W^T + b. **Shape**: [..., in] -> [..., out].
class Linear {
 public:
  virtual ~Linear() = default;
  /// `residual`, shaped as the result, is added when defined.
  [[nodiscard]] virtual at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const = 0;
};

struct ConvolutionGeometry {
  int stride = 1;
  int padding = 1;  ///< cells on each side
};

/// Weight and bias of a normalisation in the dtype that the implementation wants.
struct NormWeights {
  at::Tensor weight, bias;
};

class Operations {
 public:
  virtual ~Operations() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  /// What activations are; samplers stay in fp32 whatever it is.
  [[nodiscard]] virtual at::TensorOptions activations() const = 0;
  /// What so many weights take in memory, once they are converted.
  [[nodiscard]] virtual std::int64_t weight_bytes(std::int64_t elements) const {
    return elements * static_cast<std::int64_t>(activations().dtype().itemsize());
  }

  // --- at load ---
  /// **Shape**: weight [out, in, k, k], bias [out] or undefined.
  [[nodiscard]] virtual std::unique_ptr<Convolution> convolution(const Weight& weight, const Weight& bias,
                                                                 ConvolutionGeometry geometry) const = 0;
  /// **Shape**: weight [out, in], bias [out] or undefined.
  [[nodiscard]] virtual std::unique_ptr<Linear> linear(const Weight& weight, const Weight& bias) const = 0;
  /// A linear layer with GEGLU behind it (Shazeer 2020): a * GELU(g) for [a, g] = x W^T + b. Its forward()
  /// takes no residual. **Shape**: weight [2n, in]; [..., in] -> [..., n]. **Lifetime**: within that of the
  /// operations.
  [[nodiscard]] virtual std::unique_ptr<Linear> geglu_linear(const Weight& weight, const Weight& bias) const;
  [[nodiscard]] virtual NormWeights norm(const Weight& weight, const Weight& bias) const = 0;
  /// A tensor that is used as it is (embeddings, positions).
  [[nodiscard]] virtual at::Tensor constant(const Weight& value) const = 0;

  // --- at each step ---
  /// Group normalisation over [B, C, h, w] (Wu and He 2018), then SiLU if asked. Sums are fp32 whatever the
  /// dtype.
  [[nodiscard]] virtual at::Tensor group_norm(const at::Tensor& x, const NormWeights& w, int groups,
                                              double eps, bool silu) const = 0;
  /// Layer normalisation over the last dimension. Sums are fp32 whatever the dtype.
  [[nodiscard]] virtual at::Tensor layer_norm(const at::Tensor& x, const NormWeights& w,
                                              double eps) const = 0;
  /// softmax(q k^T / sqrt(d)) v per head. **Shape**: q [B, Lq, heads*d], k and v [B, Lk, heads*d] -> [B, Lq,
  /// heads*d]. `causal`: position i sees positions up to i (Lq == Lk).
  [[nodiscard]] virtual at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                             int heads, bool causal) const = 0;
  /// GEGLU (Shazeer 2020): first half times GELU of the second half. **Shape**: [..., 2n] -> [..., n].
  [[nodiscard]] virtual at::Tensor geglu(const at::Tensor& x) const = 0;
  /// Nearest-neighbour enlargement. **Shape**: [B, C, h, w] -> [B, C, height, width].
  [[nodiscard]] virtual at::Tensor upsample_nearest(const at::Tensor& x, std::int64_t height,
                                                    std::int64_t width) const = 0;
  [[nodiscard]] virtual at::Tensor silu(const at::Tensor& x) const = 0;
  [[nodiscard]] virtual at::Tensor gelu(const at::Tensor& x) const = 0;        ///< exact (erf)
  [[nodiscard]] virtual at::Tensor quick_gelu(const at::Tensor& x) const = 0;  ///< x * sigmoid(1.702 x)
};

/// The reference attention makes at most so many scores at once, for a slice of the queries; twice, since the
/// softmax is another tensor.
inline constexpr std::int64_t kMaxAttentionScores = std::int64_t{16} << 20;

/// Plain libtorch on any device and in any floating dtype.
std::shared_ptr<const Operations> reference_operations(at::Device device, at::ScalarType dtype);

/// bf16 on a CPU with AVX512-BF16: our own attention, norms and activations, oneDNN's convolutions and
/// products over packed weights, channels-last throughout. Null where the processor lacks the instructions.
std::shared_ptr<const Operations> avx512_bf16_operations();

/// What decides how operations lay weights out, beside their name: the library and what it may use of the
/// processor.
std::string weight_layouts();

/// The fastest that this build and machine have for a device and a dtype.
std::shared_ptr<const Operations> best_operations(at::Device device, at::ScalarType dtype);

}  // namespace waggle::pipeline::ops

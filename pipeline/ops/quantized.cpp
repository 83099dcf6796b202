// Quantising by our own loops, and by plain libtorch.
#include "pipeline/ops/quantized.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>

#include "pipeline/kernels/bytes.h"
#include "pipeline/kernels/cpu_features.h"

namespace waggle::pipeline::ops {
namespace {

constexpr float kSteps = 127;  // not -128: the other side has no partner for it

/// fp32: whole numbers [runs, n], and the scale of each run [runs, 1].
struct Whole {
  at::Tensor numbers, scale;
};
Whole by_torch(const at::Tensor& x, std::int64_t runs) {
  const at::Tensor rows = x.to(at::kFloat).reshape({runs, -1});
  const at::Tensor largest = rows.abs().amax(1, /*keepdim=*/true);
  const at::Tensor factor = at::where(largest > 0, kSteps / largest, at::zeros_like(largest));
  return {(rows * factor).round_(), largest / kSteps};
}

#if defined(WAGGLE_AVX512_KERNELS)

/// Steps to a unit; a run of nothing but 0 has none.
float factor_of(float largest) { return largest > 0 ? kSteps / largest : 0.0F; }

template <class Element>
class Runs {
 public:
  Runs(const at::Tensor& x, std::int64_t runs, const Quantized& out)
      : from_(static_cast<const Element*>(x.data_ptr())),
        to_(out.values.data_ptr<std::int8_t>()),
        scale_(out.scale.data_ptr<float>()),
        runs_(runs),
        length_(x.numel() / runs) {}

  void quantize() const { length_ <= kPiece ? quantize_each() : quantize_in_pieces(); }

 private:
  /// Elements that are worth a thread, and stay in its first caches from the one loop to the other.
  static constexpr std::int64_t kPiece = 16 * 1024;

  void quantize_each() const {
    const std::int64_t per_thread = std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(1, length_));
    at::parallel_for(0, runs_, per_thread, [this](std::int64_t first, std::int64_t last) {
      for (std::int64_t run = first; run < last; ++run) {
        const std::int64_t at = run * length_;
        const float largest = kernels::largest_magnitude(from_ + at, length_);
        scale_[run] = largest / kSteps;
        kernels::to_bytes(from_ + at, length_, factor_of(largest), to_ + at);
      }
    });
  }

  /// Threads share a run: all magnitudes come first.
  void quantize_in_pieces() const {
    const std::int64_t pieces = (length_ + kPiece - 1) / kPiece;
    std::vector<float> of_piece(static_cast<std::size_t>(runs_ * pieces)), of_run;
    over_pieces(pieces, [&](std::int64_t piece, std::int64_t at, std::int64_t count) {
      of_piece[static_cast<std::size_t>(piece)] = kernels::largest_magnitude(from_ + at, count);
    });
    for (std::int64_t run = 0; run < runs_; ++run) {
      const auto first = of_piece.begin() + run * pieces;
      of_run.push_back(*std::max_element(first, first + pieces));
      scale_[run] = of_run.back() / kSteps;
    }
    over_pieces(pieces, [&](std::int64_t piece, std::int64_t at, std::int64_t count) {
      const float largest = of_run[static_cast<std::size_t>(piece / pieces)];
      kernels::to_bytes(from_ + at, count, factor_of(largest), to_ + at);
    });
  }

  template <class Body>
  void over_pieces(std::int64_t pieces, const Body& body) const {
    at::parallel_for(0, runs_ * pieces, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t piece = first; piece < last; ++piece) {
        const std::int64_t in_run = piece % pieces * kPiece;
        body(piece, piece / pieces * length_ + in_run, std::min(kPiece, length_ - in_run));
      }
    });
  }

  const Element* from_;
  std::int8_t* to_;
  float* scale_;
  std::int64_t runs_, length_;
};

template <class Element>
void scale_back_elements(const at::Tensor& y, const at::Tensor& run_scale, const at::Tensor& channel_scale,
                         const at::Tensor& bias, const at::Tensor& residual) {
  const std::int64_t channels = channel_scale.numel(), rows = y.numel() / channels,
                     rows_per_run = rows / run_scale.numel();
  auto* to = static_cast<Element*>(y.data_ptr());
  const auto* added = residual.defined() ? static_cast<const Element*>(residual.data_ptr()) : nullptr;
  const auto *by_run = run_scale.data_ptr<float>(), *by_channel = channel_scale.data_ptr<float>(),
             *biases = bias.data_ptr<float>();
  at::parallel_for(
      0, rows, std::max<std::int64_t>(1, 16 * 1024 / channels), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t row = first; row < last; ++row)
          kernels::scale_back(to + row * channels, channels, by_run[row / rows_per_run], by_channel, biases,
                              added == nullptr ? nullptr : added + row * channels);
      });
}

#endif

}  // namespace

at::Tensor dequantized(const Quantized& quantized) {
  std::vector<std::int64_t> per_run(static_cast<std::size_t>(quantized.values.dim()), 1);
  per_run.front() = -1;
  return quantized.values.to(at::kFloat) * quantized.scale.view(per_run);
}

at::Tensor with_loss(const at::Tensor& x, std::int64_t runs) {
  const Whole whole = by_torch(x, runs);
  return (whole.numbers * whole.scale).view(x.sizes()).to(x.scalar_type());
}

Quantized quantized_weight(const at::Tensor& weight) {
  if (quantizes_to_bytes()) return quantized(weight.contiguous(), weight.size(0));
  const Whole whole = by_torch(weight, weight.size(0));
  return {whole.numbers.to(at::kChar).view(weight.sizes()), whole.scale.flatten()};
}

#if defined(WAGGLE_AVX512_KERNELS)

bool quantizes_to_bytes() { return kernels::has_avx512(); }

Quantized quantized(const at::Tensor& x, std::int64_t runs) {
  Quantized out{at::empty_like(x, x.options().dtype(at::kChar)),
                at::empty({runs}, x.options().dtype(at::kFloat))};
  switch (x.scalar_type()) {
    case at::kFloat:
      Runs<float>(x, runs, out).quantize();
      return out;
    case at::kBFloat16:
      Runs<kernels::Bfloat16>(x, runs, out).quantize();
      return out;
    case at::kHalf:
      Runs<kernels::Half>(x, runs, out).quantize();
      return out;
    default:
      return quantized(x.to(at::kFloat), runs);
  }
}

void scale_back(const at::Tensor& y, const at::Tensor& run_scale, const at::Tensor& channel_scale,
                const at::Tensor& bias, const at::Tensor& residual) {
  if (y.scalar_type() == at::kFloat)
    scale_back_elements<float>(y, run_scale, channel_scale, bias, residual);
  else
    scale_back_elements<kernels::Bfloat16>(y, run_scale, channel_scale, bias, residual);
}

#else

bool quantizes_to_bytes() { return false; }
void scale_back(const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                const at::Tensor&) {
  throw std::logic_error("no kernels for bytes here");
}
Quantized quantized(const at::Tensor&, std::int64_t) { throw std::logic_error("no kernels for bytes here"); }

#endif

}  // namespace waggle::pipeline::ops

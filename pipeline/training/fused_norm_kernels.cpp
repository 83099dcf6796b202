// The norm over sixteen channels at a time.
#include "pipeline/training/fused_norm_kernels.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "pipeline/training/lanes.h"

namespace waggle::training {
namespace {

/// Sum and sum of squares of sixteen channels over all pixels, in slices so that fp32 loses nothing visible.
WAGGLE_CLONES void channel_sums(const std::uint16_t* x, std::int64_t pixels, std::int64_t stride, double* sum,
                                double* squares) {
  constexpr std::int64_t kSlice = 256;
  for (std::int64_t first = 0; first < pixels; first += kSlice) {
    Lanes s{}, q{};
    const std::int64_t end = std::min(first + kSlice, pixels);
    for (std::int64_t p = first; p < end; ++p) {
      const Lanes v = load_bf16(x + p * stride);
      s += v;
      q += v * v;
    }
    for (int c = 0; c < kLanes; ++c) sum[c] += s[c], squares[c] += q[c];
  }
}

WAGGLE_CLONES void apply(const std::uint16_t* x, std::int64_t pixels, std::int64_t stride,
                         const float* scales, const float* shifts, bool silu, std::uint16_t* y) {
  const Lanes scale = load(scales), shift = load(shifts);
  for (std::int64_t p = 0; p < pixels; ++p) {
    Lanes z = load_bf16(x + p * stride) * scale + shift;
    if (silu) z *= sigmoid(z);
    store_bf16(y + p * stride, z);
  }
}

/// The gradient before the activation, kept in `dz`, and its sums alone and times x.
WAGGLE_CLONES void before_activation(const std::uint16_t* x, const std::uint16_t* dy, std::int64_t pixels,
                                     std::int64_t stride, const float* scales, const float* shifts, bool silu,
                                     float* dz, float* sum, float* sum_x) {
  const Lanes scale = load(scales), shift = load(shifts);
  Lanes s{}, sx{};
  for (std::int64_t p = 0; p < pixels; ++p) {
    const Lanes v = load_bf16(x + p * stride), z = v * scale + shift;
    Lanes g = load_bf16(dy + p * stride);
    if (silu) {
      const Lanes gate = sigmoid(z);
      g *= gate * (1.0F + z * (1.0F - gate));
    }
    store(dz + p * kLanes, g);
    s += g;
    sx += g * v;
  }
  store(sum, s);
  store(sum_x, sx);
}

WAGGLE_CLONES void input_gradient(const std::uint16_t* x, const float* dz, std::int64_t pixels,
                                  std::int64_t stride, const float* scales, const float* slopes,
                                  const float* offsets, std::uint16_t* dx) {
  const Lanes scale = load(scales), slope = load(slopes), offset = load(offsets);
  for (std::int64_t p = 0; p < pixels; ++p)
    store_bf16(dx + p * stride, scale * load(dz + p * kLanes) - slope * load_bf16(x + p * stride) - offset);
}

/// y = x * scale + shift of each channel of one sample.
void scales(const NormShape& shape, const float* weight, const float* bias, const float* mean,
            const float* rstd, std::vector<float>& scale, std::vector<float>& shift) {
  const std::int64_t width = shape.channels / shape.groups;
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    const std::int64_t g = c / width;
    scale[static_cast<std::size_t>(c)] = rstd[g] * weight[c];
    shift[static_cast<std::size_t>(c)] = bias[c] - mean[g] * rstd[g] * weight[c];
  }
}

}  // namespace

void group_norm_forward(const NormShape& shape, const std::uint16_t* x, const float* weight,
                        const float* bias, std::uint16_t* y, float* mean, float* rstd) {
  const std::int64_t channels = shape.channels, width = channels / shape.groups;
  const auto count = static_cast<double>(shape.pixels * width);
  std::vector<float> scale(static_cast<std::size_t>(channels)), shift(scale.size());
  std::vector<double> sum(scale.size()), squares(scale.size());
  for (std::int64_t n = 0; n < shape.batch; ++n) {
    const std::uint16_t* in = x + n * shape.pixels * channels;
    sum.assign(sum.size(), 0.0);
    squares.assign(squares.size(), 0.0);
    for (std::int64_t c = 0; c < channels; c += kLanes)
      channel_sums(in + c, shape.pixels, channels, &sum[static_cast<std::size_t>(c)],
                   &squares[static_cast<std::size_t>(c)]);
    for (std::int64_t g = 0; g < shape.groups; ++g) {
      double s = 0, q = 0;
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c)
        s += sum[static_cast<std::size_t>(c)], q += squares[static_cast<std::size_t>(c)];
      const double m = s / count;
      mean[n * shape.groups + g] = static_cast<float>(m);
      rstd[n * shape.groups + g] =
          static_cast<float>(1.0 / std::sqrt(std::max(q / count - m * m, 0.0) + shape.eps));
    }
    scales(shape, weight, bias, mean + n * shape.groups, rstd + n * shape.groups, scale, shift);
    for (std::int64_t c = 0; c < channels; c += kLanes)
      apply(in + c, shape.pixels, channels, &scale[static_cast<std::size_t>(c)],
            &shift[static_cast<std::size_t>(c)], shape.silu, y + n * shape.pixels * channels + c);
  }
}

void group_norm_backward(const NormShape& shape, const std::uint16_t* x, const std::uint16_t* dy,
                         const float* weight, const float* bias, const float* mean, const float* rstd,
                         std::uint16_t* dx, float* d_weight, float* d_bias) {
  const std::int64_t channels = shape.channels, width = channels / shape.groups;
  const auto count = static_cast<float>(shape.pixels * width);
  std::vector<float> scale(static_cast<std::size_t>(channels)), shift(scale.size()), slope(scale.size()),
      offset(scale.size()), sum(scale.size()), sum_x(scale.size());
  std::vector<float> dz(static_cast<std::size_t>(shape.pixels * channels));
  for (std::int64_t n = 0; n < shape.batch; ++n) {
    const std::int64_t start = n * shape.pixels * channels;
    const float *means = mean + n * shape.groups, *rstds = rstd + n * shape.groups;
    scales(shape, weight, bias, means, rstds, scale, shift);
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const auto i = static_cast<std::size_t>(c);
      before_activation(x + start + c, dy + start + c, shape.pixels, channels, &scale[i], &shift[i],
                        shape.silu, &dz[static_cast<std::size_t>(c * shape.pixels)], &sum[i], &sum_x[i]);
    }
    for (std::int64_t g = 0; g < shape.groups; ++g) {
      float a = 0, b = 0;  // means over the group of the gradient of x-hat, alone and times x-hat
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        const auto i = static_cast<std::size_t>(c);
        const float times_hat = (sum_x[i] - means[g] * sum[i]) * rstds[g];
        d_weight[c] += times_hat;
        d_bias[c] += sum[i];
        a += weight[c] * sum[i];
        b += weight[c] * times_hat;
      }
      a /= count;
      b /= count;
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        slope[static_cast<std::size_t>(c)] = rstds[g] * rstds[g] * b;
        offset[static_cast<std::size_t>(c)] = rstds[g] * (a - means[g] * rstds[g] * b);
      }
    }
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const auto i = static_cast<std::size_t>(c);
      input_gradient(x + start + c, &dz[static_cast<std::size_t>(c * shape.pixels)], shape.pixels, channels,
                     &scale[i], &slope[i], &offset[i], dx + start + c);
    }
  }
}

}  // namespace waggle::training

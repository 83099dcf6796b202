// Lanczos resizing: see pipeline/image/resize.h.
#include "pipeline/image/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <stdexcept>
#include <vector>

namespace waggle::pipeline {
namespace {

constexpr double kLobes = 3.0;  // Lanczos a = 3
constexpr int kPrecisionBits =
    22;  // 32, less 8 for a sample and 2 for the sum of weights, which may exceed 1 on the way

double sinc(double x) { return x == 0.0 ? 1.0 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi); }
double lanczos(double x) { return x >= -kLobes && x < kLobes ? sinc(x) * sinc(x / kLobes) : 0.0; }

// Which input samples make one output sample, and with what fixed-point weights.
struct Window {
  std::size_t first = 0;
  std::vector<std::int32_t> weights;
};

std::vector<Window> windows(int in_size, int out_size) {
  const double scale = static_cast<double>(in_size) / out_size;
  const double stretch = std::max(scale, 1.0);  // when shrinking, the filter widens to cover what falls away
  const double support = kLobes * stretch;
  std::vector<Window> out(static_cast<std::size_t>(out_size));
  std::vector<double> weights;
  for (int i = 0; i < out_size; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = std::min(static_cast<int>(center + support + 0.5), in_size);
    weights.clear();
    double sum = 0;
    for (int j = first; j < last; ++j) {
      weights.push_back(lanczos((j - center + 0.5) * (1.0 / stretch)));
      sum += weights.back();
    }
    Window& window = out[static_cast<std::size_t>(i)];
    window.first = static_cast<std::size_t>(first);
    for (const double weight : weights) {
      const double fixed = weight / sum * (1 << kPrecisionBits);
      window.weights.push_back(static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
    }
  }
  return out;
}

// One output sample from input samples that lie `step` apart.
std::uint8_t weighted(const std::uint8_t* samples, std::size_t step, const Window& window) {
  std::int64_t sum = std::int64_t{1} << (kPrecisionBits - 1);
  samples += window.first * step;
  for (const std::int32_t weight : window.weights) {
    sum += std::int64_t{weight} * *samples;
    samples += step;
  }
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> kPrecisionBits, 0, 255));
}

Picture resized_rows(const Picture& in, int width) {
  Picture out{.width = width, .height = in.height, .channels = in.channels, .samples = {}};
  const auto channels = static_cast<std::size_t>(in.channels);
  const std::size_t stride = static_cast<std::size_t>(in.width) * channels;
  const auto columns = windows(in.width, width);
  out.samples.reserve(columns.size() * channels * static_cast<std::size_t>(in.height));
  for (std::size_t y = 0; y < static_cast<std::size_t>(in.height); ++y) {
    const std::uint8_t* row = in.samples.data() + y * stride;
    for (const Window& column : columns) {
      for (std::size_t c = 0; c < channels; ++c) out.samples.push_back(weighted(row + c, channels, column));
    }
  }
  return out;
}

Picture resized_columns(const Picture& in, int height) {
  Picture out{.width = in.width, .height = height, .channels = in.channels, .samples = {}};
  const std::size_t stride = static_cast<std::size_t>(in.width) * static_cast<std::size_t>(in.channels);
  out.samples.reserve(stride * static_cast<std::size_t>(height));
  for (const Window& row : windows(in.height, height)) {
    for (std::size_t x = 0; x < stride; ++x)
      out.samples.push_back(weighted(in.samples.data() + x, stride, row));
  }
  return out;
}

}  // namespace

Picture resize(const Picture& picture, int width, int height) {
  if (width < 1 || height < 1) throw std::invalid_argument("a picture is resized to at least one pixel");
  if (picture.channels == 4) throw std::invalid_argument("a picture with alpha is not resized");
  // A side that keeps its length is left untouched, not filtered.
  Picture out = picture.width == width ? picture : resized_rows(picture, width);
  return out.height == height ? out : resized_columns(out, height);
}

}  // namespace waggle::pipeline

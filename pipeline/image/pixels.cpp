// Pixel by pixel: see pipeline/image/pixels.h.
#include "pipeline/image/pixels.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace waggle::pipeline {
namespace {

constexpr int kBoxPasses = 3;
constexpr int kFixedBits = 24;

// The box whose repeated blur has the variance of the Gaussian. It has a fraction: the two samples just
// outside count in part (Gwosdek et al., "Theoretical Foundations of Gaussian Convolution by Extended Box
// Filtering").
double box_radius(double radius) {
  const double variance = radius * radius / kBoxPasses;
  const double whole = std::floor((std::sqrt(12.0 * variance + 1.0) - 1.0) / 2.0);
  const double rest = (2.0 * whole + 1.0) * (whole * (whole + 1.0) - 3.0 * variance);
  return whole + rest / (6.0 * (variance - (whole + 1.0) * (whole + 1.0)));
}

struct Box {
  std::int64_t radius;
  std::uint32_t inner, outer;  ///< weights of a sample inside and of the two just outside
};

Box box_of(double radius) {
  const auto box = static_cast<float>(box_radius(radius));
  const auto whole = static_cast<std::int64_t>(box);
  const auto inner = static_cast<std::uint32_t>((1u << kFixedBits) / (box * 2 + 1));
  const auto left = (1u << kFixedBits) - static_cast<std::uint32_t>(whole * 2 + 1) * inner;
  return {whole, inner, left / 2};
}

// One pass over one line; samples beyond the ends are those at the ends.
void blur_line(const std::vector<std::uint8_t>& in, std::vector<std::uint8_t>& out, const Box& box) {
  const auto last = static_cast<std::int64_t>(in.size()) - 1;
  const auto at = [&](std::int64_t i) {
    return in[static_cast<std::size_t>(std::clamp<std::int64_t>(i, 0, last))];
  };
  std::uint32_t inside = 0;
  for (std::int64_t i = -box.radius - 1; i < box.radius; ++i) inside += at(i);
  for (std::int64_t x = 0; x <= last; ++x) {
    inside += at(x + box.radius);
    inside -= at(x - box.radius - 1);
    const std::uint32_t outside = at(x - box.radius - 1) + at(x + box.radius + 1);
    const std::uint32_t sum = inside * box.inner + outside * box.outer + (1u << (kFixedBits - 1));
    out[static_cast<std::size_t>(x)] = static_cast<std::uint8_t>(sum >> kFixedBits);
  }
}

// Blurs all lines of `length` samples, `step` apart, that begin at each of `count` places `next` apart.
void blur_lines(std::vector<std::uint8_t>& samples, std::size_t count, std::size_t next, std::size_t length,
                std::size_t step, const Box& box) {
  std::vector<std::uint8_t> line(length), blurred(length);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t* first = samples.data() + i * next;
    for (std::size_t x = 0; x < length; ++x) line[x] = first[x * step];
    for (int pass = 0; pass < kBoxPasses; ++pass) {
      blur_line(line, blurred, box);
      std::swap(line, blurred);
    }
    for (std::size_t x = 0; x < length; ++x) first[x * step] = line[x];
  }
}

}  // namespace

Picture to_rgb(Picture picture) {
  if (picture.channels == 3) return picture;
  const auto channels = static_cast<std::size_t>(picture.channels);
  Picture out{.width = picture.width, .height = picture.height, .channels = 3, .samples = {}};
  out.samples.reserve(picture.samples.size() / channels * 3);
  for (std::size_t i = 0; i < picture.samples.size(); i += channels) {
    for (std::size_t c = 0; c < 3; ++c) out.samples.push_back(picture.samples[i + (channels == 1 ? 0 : c)]);
  }
  return out;
}

Picture flatten(const Picture& picture, int background) {
  if (picture.channels != 4) return picture;
  Picture flat{picture.width, picture.height, 3, {}};
  const std::size_t pixels =
      static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height);
  flat.samples.resize(pixels * 3);
  for (std::size_t i = 0; i < pixels; ++i) {
    const int alpha = picture.samples[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c)
      flat.samples[3 * i + c] = static_cast<std::uint8_t>(
          (picture.samples[4 * i + c] * alpha + background * (255 - alpha) + 127) / 255);
  }
  return flat;
}

Picture to_grey(const Picture& picture) {
  if (picture.channels == 1) return picture;
  const auto channels = static_cast<std::size_t>(picture.channels);
  Picture out{.width = picture.width, .height = picture.height, .channels = 1, .samples = {}};
  out.samples.reserve(picture.samples.size() / channels);
  for (std::size_t i = 0; i < picture.samples.size(); i += channels) {
    const std::uint32_t luma = picture.samples[i] * 19595u + picture.samples[i + 1] * 38470u +
                               picture.samples[i + 2] * 7471u + 0x8000u;  // 0.299, 0.587, 0.114 of 65536
    out.samples.push_back(static_cast<std::uint8_t>(luma >> 16));
  }
  return out;
}

Picture black_and_white(Picture grey) {
  for (std::uint8_t& sample : grey.samples) sample = sample >= 128 ? 255 : 0;
  return grey;
}

Picture blur(const Picture& grey, double radius) {
  if (grey.channels != 1) throw std::invalid_argument("only grey pictures are blurred");
  if (!(radius > 0)) return grey;
  // A wider blur than the picture changes nothing any more, and the sums must stay within 32 bits.
  const Box box = box_of(std::min(radius, 4096.0));
  Picture out = grey;
  const auto width = static_cast<std::size_t>(grey.width), height = static_cast<std::size_t>(grey.height);
  blur_lines(out.samples, height, width, width, 1, box);
  blur_lines(out.samples, width, 1, height, width, box);
  return out;
}

}  // namespace waggle::pipeline

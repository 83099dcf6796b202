// Areas, and the blend along a mask.
#include "pipeline/image/paste.h"

#include <algorithm>
#include <stdexcept>

#include "pipeline/image/resize.h"

namespace waggle::pipeline {
namespace {

/// One side of an area, as [begin, end).
struct Span {
  int begin, end;
  [[nodiscard]] int length() const { return end - begin; }
};

Span padded(Span span, int padding, int limit) {
  return {std::max(span.begin - padding, 0), std::min(span.end + padding, limit)};
}

/// Grown evenly to this length, or as far as the limit allows, and shifted to stay inside.
Span grown(Span span, std::int64_t length, int limit) {
  const int wanted = static_cast<int>(std::clamp<std::int64_t>(length, span.length(), limit));
  const int begin = std::clamp(span.begin - (wanted - span.length()) / 2, 0, limit - wanted);
  return {begin, begin + wanted};
}

std::size_t offset(const Picture& picture, int x, int y) {
  return (static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
          static_cast<std::size_t>(x)) *
         static_cast<std::size_t>(picture.channels);
}

void require_inside(const Picture& picture, const Area& area) {
  if (area.left < 0 || area.top < 0 || area.width < 1 || area.height < 1 ||
      area.left + area.width > picture.width || area.top + area.height > picture.height)
    throw std::invalid_argument("the area leaves the picture");
}

}  // namespace

Area area_around(const Picture& mask, int padding, int width, int height) {
  Span across{mask.width, 0}, down{mask.height, 0};
  for (int y = 0; y < mask.height; ++y)
    for (int x = 0; x < mask.width; ++x)
      if (mask.samples[offset(mask, x, y)] > 0) {
        across = {std::min(across.begin, x), std::max(across.end, x + 1)};
        down = {std::min(down.begin, y), std::max(down.end, y + 1)};
      }
  if (across.end == 0) return {0, 0, mask.width, mask.height};
  across = padded(across, padding, mask.width);
  down = padded(down, padding, mask.height);
  const auto rounded_up = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  const Span wide = grown(across, rounded_up(std::int64_t{down.length()} * width, height), mask.width);
  const Span high = grown(down, rounded_up(std::int64_t{across.length()} * height, width), mask.height);
  return {wide.begin, high.begin, wide.length(), high.length()};
}

Picture crop(const Picture& picture, const Area& area) {
  require_inside(picture, area);
  Picture part{area.width, area.height, picture.channels, {}};
  for (int y = 0; y < area.height; ++y) {
    const auto row =
        picture.samples.begin() + static_cast<std::ptrdiff_t>(offset(picture, area.left, area.top + y));
    part.samples.insert(part.samples.end(), row, row + std::ptrdiff_t{area.width} * picture.channels);
  }
  return part;
}

Picture paste(Picture picture, const Picture& part, const Picture& mask, const Area& area) {
  require_inside(picture, area);
  if (picture.channels != 3 || part.channels != 3 || mask.channels != 1 || mask.width != picture.width ||
      mask.height != picture.height)
    throw std::invalid_argument("pasting wants RGB pictures and a grey mask of the whole picture");
  const bool fits = part.width == area.width && part.height == area.height;
  const Picture resized = fits ? part : resize(part, area.width, area.height);
  for (int y = 0; y < area.height; ++y)
    for (int x = 0; x < area.width; ++x) {
      const int shown = mask.samples[offset(mask, area.left + x, area.top + y)];
      const std::size_t to = offset(picture, area.left + x, area.top + y), from = offset(resized, x, y);
      for (std::size_t c = 0; c < 3; ++c) {
        const int mixed = picture.samples[to + c] * (255 - shown) + resized.samples[from + c] * shown;
        picture.samples[to + c] = static_cast<std::uint8_t>((mixed + 127) / 255);
      }
    }
  return picture;
}

}  // namespace waggle::pipeline

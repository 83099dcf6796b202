// Pixels to Lab, with what was converted before remembered; medians; the nearest named colour.
#include "tests/demo/lab_picture.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <unordered_map>

namespace waggle::demo {
namespace {

double middle(std::vector<double>& values) {
  const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), half, values.end());
  return *half;
}

}  // namespace

LabPicture in_lab(const pipeline::Picture& picture) {
  if (picture.channels < 3 || picture.width < 16 || picture.height < 16) {
    throw std::invalid_argument("a picture to judge has colours and at least 16x16 pixels");
  }
  LabPicture lab{picture.width, picture.height, {}};
  lab.pixels.reserve(static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height));
  // Drawn pictures have few colours, and the conversion takes three cube roots.
  std::unordered_map<std::uint32_t, training::Lab> known;
  for (std::size_t i = 0; i < picture.samples.size(); i += static_cast<std::size_t>(picture.channels)) {
    const std::uint8_t* s = picture.samples.data() + i;
    const std::uint32_t key = s[0] | s[1] << 8 | s[2] << 16;
    auto found = known.find(key);
    if (found == known.end()) {
      const training::Rgb rgb{static_cast<double>(s[0]), static_cast<double>(s[1]),
                              static_cast<double>(s[2])};
      found = known.emplace(key, training::to_lab(rgb)).first;
    }
    lab.pixels.push_back(found->second);
  }
  return lab;
}

training::Lab median(std::vector<training::Lab> colors) {
  if (colors.empty()) return {};
  std::vector<double> l, a, b;
  for (const training::Lab& color : colors) {
    l.push_back(color.l);
    a.push_back(color.a);
    b.push_back(color.b);
  }
  return {middle(l), middle(a), middle(b)};
}

training::Color nearest_color(const training::Lab& color) {
  training::Color nearest{};
  double least = 1e9;
  for (std::size_t i = 0; i < training::kColorCount; ++i) {
    const auto candidate = static_cast<training::Color>(i);
    const double away = training::distance(color, training::to_lab(training::rgb(candidate)));
    if (away < least) {
      least = away;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace waggle::demo

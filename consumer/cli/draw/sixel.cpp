// Sixel graphics: bands of six rows, each colour of a band drawn over the others. The colours are the
// picture's own, found by median cut (P. Heckbert, "Color image quantization for frame buffer display", 1982)
// over colours of 5 bits a channel.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "consumer/cli/draw/draw.h"

namespace waggle::cli {

namespace {

constexpr std::size_t kMostColours = 256;
constexpr int kBand = 6;

/// One colour of 5 bits a channel, and how many pixels have it.
struct Shade {
  std::array<std::uint8_t, 3> channels;
  std::uint32_t pixels;
};
using Box = std::vector<Shade>;

std::size_t key(const std::uint8_t* sample) {
  return static_cast<std::size_t>(sample[0] >> 3) << 10 | static_cast<std::size_t>(sample[1] >> 3) << 5 |
         static_cast<std::size_t>(sample[2] >> 3);
}

/// The channel in which a box is longest, and how long it is.
std::pair<std::size_t, int> longest(const Box& box) {
  std::pair<std::size_t, int> found{0, 0};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const auto [least, most] = std::minmax_element(
        box.begin(), box.end(),
        [=](const Shade& a, const Shade& b) { return a.channels[channel] < b.channels[channel]; });
    const int length = most->channels[channel] - least->channels[channel];
    if (length > found.second) found = {channel, length};
  }
  return found;
}

/// Takes the upper half of the pixels out of the box.
Box split(Box& box, std::size_t channel) {
  std::sort(box.begin(), box.end(),
            [=](const Shade& a, const Shade& b) { return a.channels[channel] < b.channels[channel]; });
  std::uint64_t all = 0, below = 0;
  for (const Shade& shade : box) all += shade.pixels;
  std::size_t at = 0;
  while (at + 1 < box.size() - 1 && 2 * (below + box[at].pixels) < all) below += box[at++].pixels;
  Box upper(box.begin() + static_cast<std::ptrdiff_t>(at) + 1, box.end());
  box.resize(at + 1);
  return upper;
}

std::vector<Box> median_cut(Box all) {
  std::vector<Box> boxes{std::move(all)};
  while (boxes.size() < kMostColours) {
    // The box whose split helps most pixels most.
    Box* widest = nullptr;
    std::uint64_t gain = 0;
    for (Box& box : boxes) {
      std::uint64_t pixels = 0;
      for (const Shade& shade : box) pixels += shade.pixels;
      const auto worth = pixels * static_cast<std::uint64_t>(longest(box).second);
      if (worth > gain) {
        gain = worth;
        widest = &box;
      }
    }
    if (widest == nullptr) break;
    Box upper = split(*widest, longest(*widest).first);
    boxes.push_back(std::move(upper));
  }
  return boxes;
}

/// The mean of a box as sixel counts: percent of each channel.
std::string definition(std::size_t index, const Box& box) {
  std::uint64_t pixels = 0;
  std::array<std::uint64_t, 3> sum{};
  for (const Shade& shade : box) {
    pixels += shade.pixels;
    for (std::size_t i = 0; i < 3; ++i) sum[i] += std::uint64_t{shade.channels[i]} * shade.pixels;
  }
  std::string text = std::string("#").append(std::to_string(index)).append(";2");
  for (const std::uint64_t channel : sum)
    text.append(";").append(std::to_string((channel * 100 + pixels * 15) / (pixels * 31)));
  return text;
}

/// A run of one sign, the short way.
void add_run(std::string& out, char sign, int length) {
  if (length > 3) {
    out.append("!").append(std::to_string(length)).append(1, sign);
  } else {
    out.append(static_cast<std::size_t>(length), sign);
  }
}

}  // namespace

std::string draw_sixel(const pipeline::Picture& picture) {
  const auto width = static_cast<std::size_t>(picture.width);
  std::vector<std::uint32_t> histogram(std::size_t{1} << 15);
  for (std::size_t i = 0; i + 2 < picture.samples.size(); i += 3) ++histogram[key(&picture.samples[i])];
  Box shades;
  for (std::size_t i = 0; i < histogram.size(); ++i) {
    if (histogram[i] == 0) continue;
    const auto channel = [i](int shift) { return static_cast<std::uint8_t>(i >> shift & 31); };
    shades.push_back({{channel(10), channel(5), channel(0)}, histogram[i]});
  }
  const std::vector<Box> boxes = median_cut(std::move(shades));
  std::vector<std::uint16_t> index_of(histogram.size());
  std::string out = "\033P0;1;0q\"1;1;";
  out.append(std::to_string(picture.width)).append(";").append(std::to_string(picture.height));
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    out += definition(i, boxes[i]);
    for (const Shade& shade : boxes[i]) {
      const auto& [r, g, b] = shade.channels;
      index_of[std::size_t{r} << 10 | std::size_t{g} << 5 | b] = static_cast<std::uint16_t>(i);
    }
  }
  // bits[colour * width + x]: which of the band's six pixels at x have that colour.
  std::vector<std::uint8_t> bits(boxes.size() * width);
  for (int top = 0; top < picture.height; top += kBand) {
    std::ranges::fill(bits, 0);
    std::vector<bool> used(boxes.size());
    for (int row = 0; row < std::min(kBand, picture.height - top); ++row) {
      for (std::size_t x = 0; x < width; ++x) {
        const std::size_t colour =
            index_of[key(&picture.samples[3 * (static_cast<std::size_t>(top + row) * width + x)])];
        bits[colour * width + x] |= static_cast<std::uint8_t>(1u << row);
        used[colour] = true;
      }
    }
    for (std::size_t colour = 0; colour < boxes.size(); ++colour) {
      if (!used[colour]) continue;
      out.append("#").append(std::to_string(colour));
      for (std::size_t x = 0; x < width;) {
        const std::uint8_t six = bits[colour * width + x];
        const std::size_t first = x;
        while (x < width && bits[colour * width + x] == six) ++x;
        if (six == 0 && x == width) break;  // nothing more of this colour in the band
        add_run(out, static_cast<char>('?' + six), static_cast<int>(x - first));
      }
      out += '$';
    }
    out += '-';
  }
  return out + "\033\\\n";
}

}  // namespace waggle::cli

// Resizing, grey, masks and blur against what Pillow made of the same samples, as the goldens store it.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "pipeline/image/pixels.h"
#include "pipeline/image/resize.h"
#include "tests/pipeline/image/sample_files.h"

using namespace waggle::pipeline;
using namespace waggle::pipeline::test;

namespace {

// A float tensor [H, W] or [H, W, 3] of the golden file with values k/255, as a picture.
Picture golden(const std::string& name) {
  std::ifstream in(std::string(WAGGLE_GOLDEN_DATA) + "/sd15/golden.safetensors", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  REQUIRE(bytes.size() > 8);
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), 8);
  const auto tensor = nlohmann::json::parse(bytes.substr(8, header_size)).at(name);
  const auto& shape = tensor.at("shape");
  const char* data = bytes.data() + 8 + header_size + tensor.at("data_offsets")[0].get<std::size_t>();
  Picture out{.width = shape[1], .height = shape[0], .channels = shape.size() == 3 ? 3 : 1, .samples = {}};
  for (int i = 0; i < out.width * out.height * out.channels; ++i) {
    float value = 0;
    std::memcpy(&value, data + i * 4, 4);
    out.samples.push_back(static_cast<std::uint8_t>(std::lround(value * 255)));
  }
  return out;
}

}  // namespace

TEST_CASE("preparation: resizing is Pillow's Lanczos, bit for bit") {
  const Picture expected = golden("resize.out");
  CHECK(largest_difference(resize(golden("resize.in"), expected.width, expected.height), expected) == 0);
}

TEST_CASE("preparation: a picture that keeps its size is left untouched") {
  const Picture picture = gradient(40, 24, 3);
  CHECK(largest_difference(resize(picture, 40, 24), picture) == 0);
}

TEST_CASE("preparation: a flat picture stays flat at any size") {
  const Picture flat{.width = 13, .height = 7, .channels = 1, .samples = std::vector<std::uint8_t>(91, 77)};
  for (const auto& [width, height] :
       {std::pair(1, 1), std::pair(64, 64), std::pair(5, 90), std::pair(200, 3)}) {
    const Picture resized = resize(flat, width, height);
    REQUIRE(resized.samples.size() == static_cast<std::size_t>(width * height));
    for (const auto sample : resized.samples) REQUIRE(sample == 77);
  }
  CHECK_THROWS_AS(resize(flat, 0, 8), std::invalid_argument);
  CHECK_THROWS_AS(resize(gradient(4, 4, 4), 8, 8), std::invalid_argument);
}

TEST_CASE("preparation: a mask is blurred as Pillow blurs it") {
  const Picture mask = golden("input_mask"), expected = golden("inpaint.mask_blur8");
  CHECK(largest_difference(blur(mask, 8), expected) == 0);
  CHECK(largest_difference(blur(mask, 0), mask) == 0);
  // Wider than the picture: no overflow, and no edge left.
  const Picture wide = blur(mask, 1e9);
  CHECK(*std::max_element(wide.samples.begin(), wide.samples.end()) -
            *std::min_element(wide.samples.begin(), wide.samples.end()) <=
        2);
  CHECK_THROWS_AS(blur(gradient(4, 4, 3), 1), std::invalid_argument);
}

TEST_CASE("preparation: a mask is black and white from half of white on") {
  const Picture grey{.width = 4, .height = 1, .channels = 1, .samples = {0, 127, 128, 255}};
  CHECK(black_and_white(grey).samples == std::vector<std::uint8_t>{0, 0, 255, 255});
}

TEST_CASE("preparation: grey is luma, RGB repeats grey, and both drop alpha") {
  const Picture rgba{.width = 2, .height = 1, .channels = 4, .samples = {255, 0, 0, 9, 10, 200, 30, 0}};
  CHECK(to_grey(rgba).samples == std::vector<std::uint8_t>{76, 124});
  CHECK(to_rgb(rgba).samples == std::vector<std::uint8_t>{255, 0, 0, 10, 200, 30});
  CHECK(to_rgb(to_grey(rgba)).samples == std::vector<std::uint8_t>{76, 76, 76, 124, 124, 124});
}

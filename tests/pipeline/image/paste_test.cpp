// Areas of masks, and pasting that leaves kept pixels alone.
#include "pipeline/image/paste.h"

#include <stdexcept>

#include <catch2/catch.hpp>

#include "pipeline/image/pixels.h"
#include "tests/pipeline/image/sample_files.h"

using namespace waggle::pipeline;
using namespace waggle::pipeline::test;

namespace {

/// Black, with a white rectangle.
Picture mask_with(int width, int height, const Area& white) {
  Picture mask{width, height, 1, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      mask.samples.push_back(x >= white.left && x < white.left + white.width && y >= white.top &&
                                     y < white.top + white.height
                                 ? 255
                                 : 0);
  return mask;
}

}  // namespace

TEST_CASE("paste: the area is the mask's box with padding, in the job's proportions") {
  const Picture mask = mask_with(100, 80, {40, 30, 10, 10});
  CHECK(area_around(mask, 0, 512, 512) == Area{40, 30, 10, 10});
  CHECK(area_around(mask, 5, 512, 512) == Area{35, 25, 20, 20});
  CHECK(area_around(mask, 5, 1024, 512) == Area{25, 25, 40, 20});
  CHECK(area_around(mask, 5, 512, 1024) == Area{35, 15, 20, 40});
}

TEST_CASE("paste: the area stays inside the picture") {
  CHECK(area_around(mask_with(100, 80, {0, 0, 4, 4}), 10, 512, 512) == Area{0, 0, 14, 14});
  CHECK(area_around(mask_with(100, 80, {96, 76, 4, 4}), 0, 1024, 512) == Area{92, 76, 8, 4});
  // Wider than the proportions allow at this height: all the height there is.
  CHECK(area_around(mask_with(100, 80, {0, 40, 100, 1}), 0, 512, 512) == Area{0, 0, 100, 80});
  CHECK(area_around(mask_with(100, 80, {}), 3, 512, 512) == Area{0, 0, 100, 80});
}

TEST_CASE("paste: kept pixels stay as they were, painted ones are the part's") {
  const Picture picture = gradient(20, 16, 3);
  const Picture part{4, 6, 3, std::vector<std::uint8_t>(4 * 6 * 3, 200)};
  const Area area{5, 3, 4, 6}, white{6, 4, 2, 2};
  const Picture mask = mask_with(20, 16, white);
  const Picture result = paste(picture, part, mask, area);
  for (std::size_t i = 0; i < mask.samples.size(); ++i)
    for (std::size_t c = 0; c < 3; ++c)
      REQUIRE(result.samples[3 * i + c] == (mask.samples[i] > 0 ? 200 : picture.samples[3 * i + c]));
  CHECK(crop(result, white).samples == std::vector<std::uint8_t>(2 * 2 * 3, 200));
}

TEST_CASE("paste: a soft edge mixes, and only as far as the blur reaches") {
  const Picture picture{32, 32, 3, std::vector<std::uint8_t>(32 * 32 * 3, 0)};
  const Picture part{32, 32, 3, std::vector<std::uint8_t>(32 * 32 * 3, 255)};
  const Picture mask = blur(mask_with(32, 32, {12, 12, 8, 8}), 2);
  const Picture result = paste(picture, part, mask, {0, 0, 32, 32});
  CHECK(to_grey(result).samples == mask.samples);
  CHECK(result.samples.front() == 0);
}

TEST_CASE("paste: a part of another size is resized to its area") {
  const Picture picture = gradient(24, 24, 3);
  const Picture part{64, 64, 3, std::vector<std::uint8_t>(64 * 64 * 3, 77)};
  const Area area{8, 8, 8, 8};
  CHECK(crop(paste(picture, part, mask_with(24, 24, area), area), area).samples ==
        std::vector<std::uint8_t>(8 * 8 * 3, 77));
}

TEST_CASE("paste: areas and pictures that do not belong together are refused") {
  const Picture picture = gradient(8, 8, 3);
  CHECK_THROWS_AS(crop(picture, {4, 4, 5, 4}), std::invalid_argument);
  CHECK_THROWS_AS(crop(picture, {0, 0, 0, 4}), std::invalid_argument);
  CHECK_THROWS_AS(paste(picture, picture, mask_with(4, 4, {}), {0, 0, 8, 8}), std::invalid_argument);
  CHECK_THROWS_AS(paste(gradient(8, 8, 4), picture, mask_with(8, 8, {}), {0, 0, 8, 8}),
                  std::invalid_argument);
}

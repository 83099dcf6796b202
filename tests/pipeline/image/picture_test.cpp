// What holds for all formats: round trips, the choice of codec, limits on sizes, refusals.
#include "pipeline/image/picture.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/image/orientation.h"
#include "schemas/limits.h"
#include "schemas/picture_header.h"
#include "tests/pipeline/image/sample_files.h"

using namespace waggle::pipeline;
using namespace waggle::pipeline::test;
using waggle::ErrorCode;
using waggle::OutputFormat;

namespace {

Picture decoded(const std::string& bytes) {
  auto picture = decode(bytes);
  if (!picture) FAIL(to_string(picture.error()));
  return std::move(picture).value();
}

}  // namespace

TEST_CASE("picture: a PNG comes back bit for bit") {
  for (const int channels : {1, 3, 4}) {
    for (const auto& [width, height] : {std::pair(1, 1), std::pair(7, 5), std::pair(64, 48)}) {
      const Picture picture = gradient(width, height, channels);
      CHECK(largest_difference(decoded(encode(picture, OutputFormat::png)), picture) == 0);
    }
  }
}

TEST_CASE("picture: JPEG and WebP come back within their loss") {
  const Picture picture = gradient(64, 48, 3);
  CHECK(largest_difference(decoded(encode(picture, OutputFormat::jpeg)), picture) <= 4);
  CHECK(largest_difference(decoded(encode(picture, OutputFormat::webp)), picture) <= 16);
  const Picture grey = gradient(31, 17, 1);
  CHECK(largest_difference(decoded(encode(grey, OutputFormat::jpeg)), grey) <= 4);
  const Picture alpha = gradient(32, 16, 4);
  CHECK(decoded(encode(alpha, OutputFormat::webp)).channels == 4);
}

TEST_CASE("picture: the format is judged by the bytes") {
  const Picture picture = gradient(8, 8, 3);
  for (const auto format : {OutputFormat::png, OutputFormat::jpeg, OutputFormat::webp}) {
    const auto sniffed = sniff(encode(picture, format));
    REQUIRE(sniffed.has_value());
    CHECK(sniffed.value() == format);
  }
  for (const std::string bytes : {"", "GIF89a", "RIFF", "RIFF1234WAVE", "BM", "<svg/>", "\x89PNG"}) {
    REQUIRE_FALSE(sniff(bytes).has_value());
    CHECK(sniff(bytes).error().code == ErrorCode::unsupported_media);
    CHECK(decode(bytes).error().code == ErrorCode::unsupported_media);
    CHECK(read_text(bytes).error().code == ErrorCode::unsupported_media);
  }
}

TEST_CASE("picture: a file over the byte limit is refused unread") {
  std::string bytes = encode(gradient(8, 8, 3), OutputFormat::png);
  bytes.resize(waggle::limits::kMaxPictureBytes + 1);
  const auto picture = decode(bytes);
  REQUIRE_FALSE(picture.has_value());
  CHECK(picture.error().code == ErrorCode::payload_too_large);
}

TEST_CASE("picture: a picture that contradicts itself is not encoded") {
  Picture picture = gradient(8, 8, 3);
  picture.samples.pop_back();
  CHECK_THROWS_AS(encode(picture, OutputFormat::png), std::invalid_argument);
  CHECK_THROWS_AS(encode(Picture{}, OutputFormat::png), std::invalid_argument);
  CHECK_THROWS_AS(
      encode(Picture{.width = -1, .height = -1, .channels = 1, .samples = {1}}, OutputFormat::png),
      std::invalid_argument);
  CHECK_THROWS_AS(
      encode(Picture{.width = 1, .height = 1, .channels = 2, .samples = {1, 2}}, OutputFormat::png),
      std::invalid_argument);
  CHECK_THROWS_AS(encode(gradient(8, 8, 4), OutputFormat::jpeg), std::invalid_argument);
}

TEST_CASE("picture: parameters survive in every format") {
  const Picture picture = gradient(16, 16, 3);
  const std::string long_text(40'000, 'x');
  for (const auto format : {OutputFormat::png, OutputFormat::jpeg, OutputFormat::webp}) {
    for (const std::string& text : {std::string("a cat\nSteps: 20"), std::string("猫 🚀 café — “x”"),
                                    std::string("caf\xC3\xA9"), std::string("x"), long_text}) {
      const std::string bytes = encode(picture, format, {{"parameters", text}});
      const auto fields = read_text(bytes);
      REQUIRE(fields.has_value());
      CHECK(fields.value() == TextFields{{"parameters", text}});
      CHECK(decoded(bytes).width == 16);
    }
    CHECK(read_text(encode(picture, format)).value().empty());
  }
}

TEST_CASE("picture: each EXIF orientation is turned upright") {
  // Stored as it must be for the turned picture to read 1 2 3 / 4 5 6.
  const Picture upright_picture{.width = 3, .height = 2, .channels = 1, .samples = {1, 2, 3, 4, 5, 6}};
  struct Case {
    int orientation, width, height;
    std::vector<std::uint8_t> stored;
  };
  const Case cases[] = {
      {1, 3, 2, {1, 2, 3, 4, 5, 6}}, {2, 3, 2, {3, 2, 1, 6, 5, 4}}, {3, 3, 2, {6, 5, 4, 3, 2, 1}},
      {4, 3, 2, {4, 5, 6, 1, 2, 3}}, {5, 2, 3, {1, 4, 2, 5, 3, 6}}, {6, 2, 3, {3, 6, 2, 5, 1, 4}},
      {7, 2, 3, {6, 3, 5, 2, 4, 1}}, {8, 2, 3, {4, 1, 5, 2, 6, 3}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.orientation);
    const Picture stored{.width = c.width, .height = c.height, .channels = 1, .samples = c.stored};
    CHECK(largest_difference(upright(stored, c.orientation), upright_picture) == 0);
  }
  CHECK(largest_difference(upright(upright_picture, 9), upright_picture) == 0);
}

TEST_CASE("picture: whoever admits a file reads the size that its encoder wrote, and sees a cut") {
  const Picture picture = gradient(61, 40, 3);
  const std::vector<std::pair<std::string, OutputFormat>> files = {
      {encode(picture, OutputFormat::png), OutputFormat::png},
      {encode(picture, OutputFormat::jpeg), OutputFormat::jpeg},
      {make_jpeg(picture, true), OutputFormat::jpeg},
      {encode(picture, OutputFormat::webp), OutputFormat::webp},
      {encode(picture, OutputFormat::webp, {{"parameters", "a bee"}}), OutputFormat::webp},
      {make_lossless_webp(picture), OutputFormat::webp}};
  for (const auto& [bytes, format] : files) {
    CHECK(waggle::read_picture_header(bytes).value() == waggle::PictureHeader{format, 61, 40});
    for (std::size_t length = 0; length < bytes.size(); length += 7)
      CHECK_FALSE(waggle::read_picture_header(std::string_view(bytes).substr(0, length)));
  }
}

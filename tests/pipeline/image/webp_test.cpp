// WebP: lossless files, alpha, orientation, animations.
#include <string>

#include <catch2/catch.hpp>

#include "pipeline/image/picture.h"
#include "tests/pipeline/image/sample_files.h"

using namespace waggle::pipeline;
using namespace waggle::pipeline::test;
using namespace std::string_literals;
using waggle::ErrorCode;
using waggle::OutputFormat;

TEST_CASE("webp: lossless files come back bit for bit") {
  for (const int channels : {3, 4}) {
    const Picture picture = gradient(33, 21, channels);
    const auto decoded = decode(make_lossless_webp(picture));
    REQUIRE(decoded.has_value());
    CHECK(largest_difference(decoded.value(), picture) == 0);
  }
}

TEST_CASE("webp: an animation is refused") {
  // RIFF, an extended header with the animation bit, 1x1 pixels.
  const std::string bytes = "RIFF\x16\0\0\0WEBPVP8X\x0A\0\0\0\x02\0\0\0\0\0\0\0\0\0"s;
  const auto picture = decode(bytes);
  REQUIRE_FALSE(picture.has_value());
  CHECK(picture.error().code == ErrorCode::unsupported_media);
}

TEST_CASE("webp: a header that claims a huge picture is refused before anything is allocated") {
  std::string bytes = make_lossless_webp(gradient(8, 8, 3));
  // VP8L: 14 bits of width and 14 of height behind the signature byte.
  const std::size_t at = bytes.find("VP8L");
  REQUIRE(at != std::string::npos);
  bytes.replace(at + 9, 4, "\xFF\xFF\xFF\x0F");
  const auto picture = decode(bytes);
  REQUIRE_FALSE(picture.has_value());
  CHECK(picture.error().code == ErrorCode::payload_too_large);
}

TEST_CASE("webp: a side beyond the format's own limit is not encoded") {
  CHECK_THROWS_AS(encode(gradient(16384, 1, 3), OutputFormat::webp), std::invalid_argument);
}

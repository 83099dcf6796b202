// JPEG: colour spaces, progression, orientation and comments as other programs write them.
#include <string>

#include <catch2/catch.hpp>

#include "pipeline/image/picture.h"
#include "tests/pipeline/image/sample_files.h"

using namespace waggle::pipeline;
using namespace waggle::pipeline::test;
using namespace std::string_literals;
using waggle::ErrorCode;
using waggle::OutputFormat;

namespace {

Picture decoded(const std::string& bytes) {
  auto picture = decode(bytes);
  if (!picture) FAIL(to_string(picture.error()));
  return std::move(picture).value();
}

}  // namespace

TEST_CASE("jpeg: grey and colour, baseline and progressive") {
  for (const int channels : {1, 3}) {
    const Picture picture = gradient(37, 29, channels);
    for (const bool progressive : {false, true}) {
      CHECK(largest_difference(decoded(make_jpeg(picture, progressive)), picture) <= 3);
    }
  }
}

TEST_CASE("jpeg: CMYK becomes RGB") {
  // Inverted, as stored: 255 is no ink.
  Picture cmyk{.width = 16, .height = 16, .channels = 4, .samples = {}};
  for (int i = 0; i < 256; ++i) cmyk.samples.insert(cmyk.samples.end(), {255, 128, 0, 200});
  const Picture rgb = decoded(make_jpeg(cmyk, false));
  REQUIRE(rgb.channels == 3);
  CHECK(std::abs(rgb.samples[0] - 200) <= 2);
  CHECK(std::abs(rgb.samples[1] - 100) <= 2);
  CHECK(rgb.samples[2] <= 2);
}

TEST_CASE("jpeg: the EXIF orientation is applied, in both byte orders") {
  const Picture stored = gradient(24, 16, 3);
  const std::string big = "Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"s;
  const std::string little = "Exif\0\0II\x2A\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"s;
  for (const std::string& exif : {big, little}) {
    const Picture turned = decoded(make_jpeg_with_app1(stored, exif));
    CHECK(turned.width == 16);
    CHECK(turned.height == 24);
    // Turned clockwise: the stored lower left corner is the upper left one now.
    CHECK(std::abs(turned.samples[0] - stored.samples[15 * 24 * 3]) <= 4);
    CHECK(std::abs(turned.samples[1] - stored.samples[15 * 24 * 3 + 1]) <= 4);
  }
}

TEST_CASE("jpeg: an EXIF segment of nonsense is no reason to refuse the picture") {
  for (const std::string& exif :
       {"Exif\0\0"s, "Exif\0\0MM\0\x2A\xFF\xFF\xFF\xFF"s, "Exif\0\0II"s,
        "http://ns.adobe.com/xap/1.0/\0<x/>"s, "Exif\0\0MM\0\x2A\0\0\0\x08\xFF\xFF\x01\x12"s}) {
    const std::string bytes = make_jpeg_with_app1(gradient(8, 8, 3), exif);
    CHECK(decoded(bytes).width == 8);
    CHECK(read_text(bytes).value().empty());
  }
}

TEST_CASE("jpeg: a text too long for a segment is left out, the picture is written") {
  const std::string wide = [] {
    std::string text;
    for (int i = 0; i < 40'000; ++i) text += "猫";
    return text;
  }();
  const std::string bytes = encode(gradient(8, 8, 3), OutputFormat::jpeg, {{"parameters", wide}});
  CHECK(decoded(bytes).width == 8);
  CHECK(read_text(bytes).value().empty());
}

TEST_CASE("jpeg: a header that claims a huge picture is refused before anything is allocated") {
  std::string bytes = make_jpeg(gradient(8, 8, 3), false);
  const std::size_t frame = bytes.find("\xFF\xC0");
  REQUIRE(frame != std::string::npos);
  bytes.replace(frame + 5, 4, "\xFF\xDC\xFF\xDC");
  const auto picture = decode(bytes);
  REQUIRE_FALSE(picture.has_value());
  CHECK(picture.error().code == ErrorCode::payload_too_large);
}

TEST_CASE("jpeg: a progressive file of a thousand scans is refused") {
  const std::string good = make_jpeg(gradient(8, 8, 3), true);
  // The last scan again and again.
  const std::size_t last = good.rfind("\xFF\xDA");
  REQUIRE(last != std::string::npos);
  const std::string scan = good.substr(last, good.size() - 2 - last);
  std::string bytes = good.substr(0, good.size() - 2);
  for (int i = 0; i < 1000; ++i) bytes += scan;
  bytes += "\xFF\xD9";
  CHECK_FALSE(decode(bytes).has_value());
}

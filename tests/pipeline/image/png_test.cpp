// PNG: every kind of sample, text chunks of other programs, headers that lie.
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <png.h>

#include "pipeline/image/picture.h"
#include "tests/pipeline/image/sample_files.h"

using namespace waggle::pipeline;
using namespace waggle::pipeline::test;
using waggle::ErrorCode;
using waggle::OutputFormat;

namespace {

int channels_of(int color_type) {
  switch (color_type) {
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      return 2;
    case PNG_COLOR_TYPE_RGB:
      return 3;
    case PNG_COLOR_TYPE_RGBA:
      return 4;
    default:
      return 1;
  }
}

// What a decoder must make of the samples that make_png was given.
Picture expected(int width, int height, const PngKind& kind, const std::vector<std::uint16_t>& samples) {
  const bool palette = kind.color_type == PNG_COLOR_TYPE_PALETTE;
  const bool grey = kind.color_type == PNG_COLOR_TYPE_GRAY || kind.color_type == PNG_COLOR_TYPE_GRAY_ALPHA;
  const bool alpha = (kind.color_type & PNG_COLOR_MASK_ALPHA) != 0 || kind.transparency;
  const std::size_t stored = static_cast<std::size_t>(channels_of(kind.color_type));
  const int full = (1 << kind.bit_depth) - 1;
  const auto scaled = [&](int sample) { return static_cast<std::uint8_t>((sample * 255 + full / 2) / full); };
  Picture out{.width = width, .height = height, .channels = alpha ? 4 : grey ? 1 : 3, .samples = {}};
  for (std::size_t i = 0; i < samples.size(); i += stored) {
    const auto put = [&](int value) { out.samples.push_back(static_cast<std::uint8_t>(value)); };
    if (palette) {
      put(samples[i]), put(255 - samples[i]), put(samples[i] / 2);
    } else {
      for (int c = 0; c < (out.channels == 1 ? 1 : 3); ++c)
        put(scaled(samples[i + (grey ? 0 : static_cast<std::size_t>(c))]));
    }
    bool transparent = kind.transparency;
    for (std::size_t c = 0; c < stored; ++c) transparent = transparent && samples[i + c] == 0;
    if (kind.transparency) put(transparent ? 0 : 255);
    if (alpha && !kind.transparency) put(scaled(samples[i + stored - 1]));
  }
  return out;
}

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::uint32_t crc(std::string_view bytes) {
  std::uint32_t remainder = 0xFFFFFFFF;
  for (const char c : bytes) {
    remainder ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ (remainder & 1 ? 0xEDB88320u : 0);
  }
  return ~remainder;
}

// A good PNG whose header claims another size.
std::string claiming(std::uint32_t width, std::uint32_t height) {
  std::string bytes = encode(gradient(8, 8, 3), OutputFormat::png);
  bytes.replace(16, 8, big_endian(width) + big_endian(height));
  bytes.replace(29, 4, big_endian(crc(std::string_view(bytes).substr(12, 17))));
  return bytes;
}

}  // namespace

TEST_CASE("png: every colour type and depth, plain and interlaced, is read as 8 bits") {
  struct Kinds {
    int color_type;
    std::vector<int> depths;
    bool can_be_transparent;
  };
  const Kinds all[] = {
      {PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}, true}, {PNG_COLOR_TYPE_RGB, {8, 16}, true},
      {PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8}, true},  {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}, false},
      {PNG_COLOR_TYPE_RGBA, {8, 16}, false},
  };
  constexpr int kWidth = 13, kHeight = 9;
  for (const Kinds& kinds : all) {
    for (const int depth : kinds.depths) {
      for (const bool interlaced : {false, true}) {
        for (const bool transparency : {false, true}) {
          if (transparency && !kinds.can_be_transparent) continue;
          const PngKind kind{kinds.color_type, depth, interlaced, transparency};
          std::vector<std::uint16_t> samples;
          for (int i = 0; i < kWidth * kHeight * channels_of(kind.color_type); ++i) {
            samples.push_back(
                static_cast<std::uint16_t>((i % 5 == 0 ? 0 : i * 2654435761u >> 7) & ((1u << depth) - 1)));
          }
          CAPTURE(kind.color_type, depth, interlaced, transparency);
          const auto picture = decode(make_png(kWidth, kHeight, kind, samples));
          REQUIRE(picture.has_value());
          CHECK(largest_difference(picture.value(), expected(kWidth, kHeight, kind, samples)) == 0);
        }
      }
    }
  }
}

TEST_CASE("png: Latin-1 text is written as tEXt, other text as iTXt") {
  const Picture picture = gradient(4, 4, 3);
  const std::string plain = encode(picture, OutputFormat::png, {{"parameters", "caf\xC3\xA9"}});
  CHECK(plain.find("tEXtparameters") != std::string::npos);
  CHECK(plain.find("caf\xE9") != std::string::npos);
  const std::string other = encode(picture, OutputFormat::png, {{"parameters", "猫"}, {"waggle", "{}"}});
  CHECK(other.find("iTXtparameters") != std::string::npos);
  const auto fields = read_text(other);
  REQUIRE(fields.has_value());
  CHECK(fields.value() == TextFields{{"parameters", "猫"}, {"waggle", "{}"}});
  CHECK_THROWS_AS(encode(picture, OutputFormat::png, {{"", "x"}}), std::invalid_argument);
  CHECK_THROWS_AS(encode(picture, OutputFormat::png, {{std::string(80, 'k'), "x"}}), std::invalid_argument);
}

TEST_CASE("png: text chunks of every kind are read, also behind the pixels") {
  for (const int compression : {PNG_TEXT_COMPRESSION_NONE, PNG_TEXT_COMPRESSION_zTXt}) {
    const auto fields = read_text(make_png_with_text(compression, "parameters", "caf\xE9"));
    REQUIRE(fields.has_value());
    CHECK(fields.value() == TextFields{{"parameters", "caf\xC3\xA9"}});
  }
  for (const int compression : {PNG_ITXT_COMPRESSION_NONE, PNG_ITXT_COMPRESSION_zTXt}) {
    const auto fields = read_text(make_png_with_text(compression, "parameters", "猫"));
    REQUIRE(fields.has_value());
    CHECK(fields.value() == TextFields{{"parameters", "猫"}});
  }
}

TEST_CASE("png: a text that unpacks to a hundred megabytes is not unpacked") {
  const std::string bytes =
      make_png_with_text(PNG_TEXT_COMPRESSION_zTXt, "bomb", std::string(100u << 20, 'x'));
  CHECK(bytes.size() < (1u << 20));
  const auto fields = read_text(bytes);
  if (fields) CHECK(fields.value().empty());
  CHECK(decode(bytes).has_value());  // the pixels are fine
}

TEST_CASE("png: a header that claims a huge picture is refused before anything is allocated") {
  for (const auto& [width, height] :
       {std::pair(0x7FFFFFFFu, 0x7FFFFFFFu), std::pair(0x80000000u, 0x80000000u), std::pair(1u, 0x7FFFFFFFu),
        std::pair(65536u, 65536u), std::pair(32768u, 32768u), std::pair(32769u, 1u), std::pair(8001u, 8000u),
        std::pair(0u, 0u)}) {
    CAPTURE(width, height);
    const auto picture = decode(claiming(width, height));
    REQUIRE_FALSE(picture.has_value());
    const bool stated = picture.error().code == ErrorCode::payload_too_large ||
                        picture.error().code == ErrorCode::unsupported_media;
    CHECK(stated);
  }
  CHECK(decode(claiming(65536, 65536)).error().code == ErrorCode::payload_too_large);
  CHECK(decode(claiming(8, 9)).error().code == ErrorCode::unsupported_media);  // too few pixels
}

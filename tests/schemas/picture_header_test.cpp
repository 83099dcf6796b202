// The structure of picture files, built by hand: whole ones give their size, everything else an error with a
// reason. Files that real encoders wrote are tried where those encoders are, in tests/pipeline/image.
#include "schemas/picture_header.h"

#include <string>

#include <catch2/catch.hpp>

#include "schemas/limits.h"
#include "tests/schemas/tiny_picture.h"

namespace waggle {
namespace {

using namespace std::string_literals;

/// Length, kind, data and a checksum that nobody reads.
std::string png_chunk(const std::string& length, const std::string& kind, const std::string& data) {
  return length + kind + data + "\0\0\0\0"s;
}

std::string png_of_size(const std::string& width, const std::string& height) {
  return "\x89PNG\r\n\x1a\n"s + png_chunk("\0\0\0\x0d"s, "IHDR", width + height + "\x08\0\0\0\0"s) +
         png_chunk("\0\0\0\0"s, "IEND", "");
}

// SOI, SOF0 of 3x2, SOS, samples with a stuffed 0xFF00 and a restart marker, EOI.
const std::string kJpeg =
    "\xff\xd8\xff\xc0\x00\x0b\x08\x00\x02\x00\x03\x01\x01\x11\x00"s
    "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"s
    "\x12\xff\x00\x34\xff\xd0\x56\xff\xd9"s;

std::string webp(const std::string& kind, const std::string& data) {
  std::string size(4, '\0');
  size[0] = static_cast<char>(12 + data.size());
  std::string length(4, '\0');
  length[0] = static_cast<char>(data.size());
  return "RIFF" + size + "WEBP" + kind + length + data;
}

const std::string kLossyWebp =
    webp("VP8 ", "\x10\0\0\x9d\x01\x2a\x07\0\x05\x40xxxx"s);                    // 7x5, scale bits set
const std::string kLosslessWebp = webp("VP8L", "\x2f\x06\x00\x01\x00xxxxx"s);   // 7x5
const std::string kExtendedWebp = webp("VP8X", "\x10\0\0\0\x06\0\0\x04\0\0"s);  // 7x5

std::string why(const std::string& bytes) {
  const auto header = read_picture_header(bytes);
  if (header) return "";
  CHECK(header.error().code == ErrorCode::unsupported_media);
  return header.error().message;
}

}  // namespace

TEST_CASE("picture header: whole files give their format and size") {
  CHECK(read_picture_header(testing::tiny_png()).value() == PictureHeader{OutputFormat::png, 1, 1});
  CHECK(read_picture_header(kJpeg).value() == PictureHeader{OutputFormat::jpeg, 3, 2});
  CHECK(read_picture_header(kLossyWebp).value() == PictureHeader{OutputFormat::webp, 7, 5});
  CHECK(read_picture_header(kLosslessWebp).value() == PictureHeader{OutputFormat::webp, 7, 5});
  CHECK(read_picture_header(kExtendedWebp).value() == PictureHeader{OutputFormat::webp, 7, 5});
}

TEST_CASE("picture header: a file cut off anywhere is refused") {
  for (const std::string& whole : {testing::tiny_png(), kJpeg, kLossyWebp, kLosslessWebp, kExtendedWebp})
    for (std::size_t length = 0; length < whole.size(); ++length) {
      INFO(whole.substr(0, 4) << " after " << length);
      CHECK_FALSE(why(whole.substr(0, length)).empty());
    }
  CHECK(why(testing::tiny_png().substr(0, 40)) == "is a PNG that is cut off after 40 bytes");
  CHECK(why(kJpeg.substr(0, 30)) == "is a JPEG that is cut off after 30 bytes");
}

TEST_CASE("picture header: bytes after the end are let be") {
  CHECK(read_picture_header(testing::tiny_png() + "trailing").has_value());
  CHECK(read_picture_header(kJpeg + "trailing").has_value());
  CHECK(read_picture_header(kLossyWebp + "trailing").has_value());
}

TEST_CASE("picture header: impossible lengths and sizes are refused") {
  CHECK(why(png_of_size("\0\0\0\0"s, "\0\0\0\x01"s)) == "is a PNG that has no pixels");
  CHECK(why("\x89PNG\r\n\x1a\n\xff\xff\xff\xff"
            "IHDR") == "is a PNG that has a chunk of impossible length");
  CHECK(why("\xff\xd8\xff\xe0\x00\x00\xff\xd9"s) == "is a JPEG that has a segment of impossible length");
  CHECK(why("\xff\xd8\xff\xd9"s) == "is a JPEG that has no frame");
  const auto huge = read_picture_header(png_of_size("\xff\xff\xff\xff"s, "\xff\xff\xff\xff"s));
  REQUIRE(huge.has_value());
  CHECK(huge->width == 0xffff'ffff);
}

TEST_CASE("picture header: what is no picture is told which ones there are") {
  for (const std::string& bytes : {""s, "x"s, "GIF89a"s, "RIFF\x04\0\0\0WAVE"s, "<svg/>"s})
    CHECK(why(bytes).find("WebP") != std::string::npos);
}

}  // namespace waggle

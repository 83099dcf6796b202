// The two EXIF tags, as Waggle and others write them, and any bytes at all.
#include "pipeline/image/exif.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

namespace exif = waggle::pipeline::exif;
using namespace std::string_literals;

namespace {

// A structure with a UserComment of these bytes, as piexif lays it out.
std::string with_comment(const std::string& comment) {
  std::string out = exif::with_user_comment("");
  out.replace(out.size() - 8, 8, comment);
  const auto size = static_cast<std::uint32_t>(comment.size());
  for (std::size_t i = 0; i < 4; ++i) out[32 + i] = static_cast<char>(size >> (24 - 8 * i));
  return out;
}

}  // namespace

TEST_CASE("exif: a comment comes back, whatever its characters") {
  for (const char* text : {"a cat", "caf\xC3\xA9", "猫 🚀", "line\nline"}) {
    CHECK(exif::user_comment(exif::with_user_comment(text)) == text);
  }
  CHECK_FALSE(exif::user_comment(exif::with_user_comment("")).has_value());
}

TEST_CASE("exif: the header that readers look for is there, in big-endian UTF-16") {
  CHECK(exif::with_user_comment("hi").ends_with("UNICODE\0\0h\0i"s));
}

TEST_CASE("exif: comments of other programs") {
  CHECK(exif::user_comment(with_comment("ASCII\0\0\0hello\0\0"s)) == "hello");
  CHECK(exif::user_comment(with_comment("\0\0\0\0\0\0\0\0caf\xC3\xA9"s)) == "caf\xC3\xA9");
  CHECK(exif::user_comment(with_comment("UNICODE\0h\0i\0"s)) == "hi");  // little-endian inside big-endian
  CHECK(exif::user_comment(with_comment("UNICODE\0\xD8\x3D\xDE\x80"s)) == "🚀");
  CHECK(exif::user_comment(with_comment("UNICODE\0\xD8\x3D\0x"s)) == "\xEF\xBF\xBDx");  // half a pair
}

TEST_CASE("exif: a text beyond a segment is ASCII if it can be, else left out") {
  CHECK(exif::user_comment(exif::with_user_comment(std::string(60'000, 'x'))) == std::string(60'000, 'x'));
  CHECK(exif::with_user_comment(std::string(70'000, 'x')).empty());
  CHECK(exif::with_user_comment(std::string(60'000, 'x') + "é").empty());
}

TEST_CASE("exif: every truncation and random flips are read without harm") {
  const std::string whole = exif::with_user_comment("some text");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(exif::user_comment(whole.substr(0, size)).has_value());
    CHECK(exif::orientation(whole.substr(0, size)) == 1);
  }
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    std::string broken = whole;
    for (int flips = 0; flips < 4; ++flips) broken[random() % broken.size()] = static_cast<char>(random());
    (void)exif::user_comment(broken);
    const int orientation = exif::orientation(broken);
    REQUIRE((orientation >= 1 && orientation <= 8));
  }
}

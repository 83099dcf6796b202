// Files that somebody made to do harm: cut anywhere, changed anywhere, lengths and checksums that lie, texts
// that unpack to gigabytes. An answer is all that counts; wrong ones among them are errors.
#include <random>

#include <catch2/catch.hpp>
#include <zlib.h>

#include "consumer/cli/inspect/recipe.h"
#include "pipeline/image/codecs.h"
#include "pipeline/image/exif.h"

using namespace waggle;
using namespace waggle::cli;
using namespace std::string_literals;

namespace {

const pipeline::TextFields kTexts{
    {"parameters", "a fox\nSteps: 20, Sampler: Euler, Seed: 1, Size: 8x8"},
    {"waggle", R"({"model":"m","prompt":"a fox","operation":"image_generation","steps":20})"},
    {"prompt", R"({"1":{"class_type":"KSampler","inputs":{"seed":1}}})"}};

pipeline::Picture noise() {
  pipeline::Picture picture{.width = 8, .height = 8, .channels = 3, .samples = {}};
  std::minstd_rand random(1);
  for (int i = 0; i < 192; ++i) picture.samples.push_back(static_cast<std::uint8_t>(random()));
  return picture;
}

/// Reads whatever it is, as `waggle info` does; whether anything was understood.
bool understood(std::string_view file) {
  const auto texts = pipeline::read_text(file);
  if (!texts) {
    CHECK_FALSE(texts.error().message.empty());
    return false;
  }
  return recipe_of(*texts).has_value();
}

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body +
         big_endian(static_cast<std::uint32_t>(sum));
}

std::string packed(const std::string& text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::string out(size, '\0');
  REQUIRE(compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
                   static_cast<uLong>(text.size())) == Z_OK);
  out.resize(size);
  return out;
}

/// A PNG of one pixel with this chunk before its end.
std::string png_with(const std::string& extra) {
  return "\x89PNG\r\n\x1A\n"s + chunk("IHDR", big_endian(1) + big_endian(1) + "\x08\x02\0\0\0"s) +
         chunk("IDAT", packed(std::string(4, '\0'))) + extra + chunk("IEND", "");
}

}  // namespace

TEST_CASE("hostile: a picture cut off anywhere gives an answer") {
  const OutputFormat format = GENERATE(OutputFormat::png, OutputFormat::jpeg, OutputFormat::webp);
  const std::string whole = pipeline::encode(noise(), format, kTexts);
  CHECK(understood(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A copy of just this size, so that a sanitizer sees a read beyond it.
    const std::string part(whole.substr(0, size));
    const bool good = understood(std::string_view(part));
    if (format != OutputFormat::jpeg) CHECK_FALSE(good);
  }
}

TEST_CASE("hostile: a picture changed anywhere gives an answer") {
  const OutputFormat format = GENERATE(OutputFormat::png, OutputFormat::jpeg, OutputFormat::webp);
  const std::string whole = pipeline::encode(noise(), format, kTexts);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      understood(changed);
    }
  }
}

TEST_CASE("hostile: packed texts are read, but not those that unpack to more than anybody writes") {
  const std::string text = "a fox\nSteps: 20, Sampler: Euler, Seed: 1, Size: 8x8";
  CHECK(understood(png_with(chunk("zTXt", "parameters\0\0"s + packed(text)))));
  CHECK(understood(png_with(chunk("iTXt", "parameters\0\1\0\0\0"s + packed(text)))));
  CHECK(understood(png_with(chunk("iTXt", "parameters\0\0\0\0\0"s + text))));
  const std::string bomb = packed(std::string(64u << 20, 'x'));
  CHECK(bomb.size() < 100'000);
  CHECK_FALSE(pipeline::read_text(png_with(chunk("zTXt", "parameters\0\0"s + bomb))));
  CHECK_FALSE(pipeline::read_text(png_with(chunk("iTXt", "parameters\0\1\0\0\0"s + bomb))));
}

TEST_CASE("hostile: checksums and lengths of texts that lie are errors") {
  std::string wrong = chunk("tEXt", "parameters\0a fox"s);
  wrong.back() = static_cast<char>(wrong.back() ^ 1);
  CHECK_FALSE(pipeline::read_text(png_with(wrong)));
  for (const std::uint32_t length : {0xFFFFFFFFu, 0x7FFFFFFFu, 0x80000000u, 1000u}) {
    std::string lying = chunk("tEXt", "parameters\0a fox"s);
    lying.replace(0, 4, big_endian(length));
    CHECK_FALSE(pipeline::read_text(png_with(lying)));
  }
  CHECK_FALSE(pipeline::read_text(png_with(chunk("zTXt", "parameters"))));
  CHECK_FALSE(pipeline::read_text(png_with(chunk("iTXt", "parameters\0\1"s))));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += chunk("tEXt", "parameters\0a fox"s);
  CHECK_FALSE(pipeline::read_text(png_with(many)));
}

TEST_CASE("hostile: EXIF whose counts and offsets point anywhere gives an answer") {
  const std::string tiff = pipeline::exif::with_user_comment("a fox\nSteps: 20, Sampler: Euler, Seed: 1");
  for (std::size_t at = 0; at < 44; ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = tiff;
      changed[at] = static_cast<char>(value);
      (void)pipeline::exif::user_comment(changed);
      (void)pipeline::exif::keyed_texts(changed);
      (void)pipeline::exif::orientation(changed);
    }
  }
  SUCCEED();
}

TEST_CASE("hostile: a job in XMP without an end, and one that does not fit a JPEG, are no job") {
  const pipeline::Picture picture = noise();
  const std::string open = "<waggle:job>{";
  CHECK(pipeline::read_text(pipeline::encode_jpeg(picture, {"", open}))->empty());
  const auto large = pipeline::read_text(
      pipeline::encode(picture, OutputFormat::jpeg, {{"waggle", std::string(70'000, 'x')}}));
  REQUIRE(large);
  CHECK(large->empty());
  const auto webp = pipeline::read_text(
      pipeline::encode(picture, OutputFormat::webp, {{"waggle", std::string(70'000, 'x')}}));
  REQUIRE(webp);
  CHECK(webp->size() == 1);
}

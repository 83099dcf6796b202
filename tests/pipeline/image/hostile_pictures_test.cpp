// Broken files of every format: an error or a picture, never a crash, and never a picture from half a file.
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/image/picture.h"
#include "tests/pipeline/image/sample_files.h"

using namespace waggle::pipeline;
using namespace waggle::pipeline::test;
using waggle::ErrorCode;
using waggle::OutputFormat;

namespace {

struct Sample {
  std::string name, bytes;
};

std::vector<Sample> samples() {
  const Picture picture = gradient(24, 20, 3);
  const TextFields text = {{"parameters", "a cat, 猫\nSteps: 20, Sampler: Euler, Seed: 1"}};
  return {
      {"png", encode(picture, OutputFormat::png, text)},
      {"jpeg", encode(picture, OutputFormat::jpeg, text)},
      {"webp", encode(picture, OutputFormat::webp, text)},
      {"progressive jpeg", make_jpeg(picture, true)},
      {"lossless webp", make_lossless_webp(gradient(24, 20, 4))},
  };
}

// A picture is whole, or the error is one of the two that decode() promises.
void check(const waggle::Result<Picture>& picture) {
  if (picture) {
    const Picture& p = picture.value();
    REQUIRE(p.samples.size() == static_cast<std::size_t>(p.width) * static_cast<std::size_t>(p.height) *
                                    static_cast<std::size_t>(p.channels));
  } else {
    REQUIRE((picture.error().code == ErrorCode::unsupported_media ||
             picture.error().code == ErrorCode::payload_too_large));
    REQUIRE_FALSE(picture.error().message.empty());
  }
}

}  // namespace

TEST_CASE("hostile pictures: every truncation of every format is an error") {
  for (const Sample& sample : samples()) {
    REQUIRE(decode(sample.bytes).has_value());
    for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
      CAPTURE(sample.name, size, sample.bytes.size());
      const auto picture = decode(sample.bytes.substr(0, size));
      REQUIRE_FALSE(picture.has_value());
      CHECK(picture.error().code == ErrorCode::unsupported_media);
      (void)read_text(sample.bytes.substr(0, size));
    }
  }
}

TEST_CASE("hostile pictures: flipped bits") {
  std::mt19937 random(17);
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    for (int round = 0; round < 4000; ++round) {
      std::string broken = sample.bytes;
      for (auto flips = 1 + random() % 4; flips > 0; --flips) {
        char& c = broken[random() % broken.size()];
        c = static_cast<char>(c ^ (1 << (random() % 8)));
      }
      check(decode(broken));
      (void)read_text(broken);
    }
  }
}

TEST_CASE("hostile pictures: random bytes behind a good signature") {
  std::mt19937 random(23);
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    for (int round = 0; round < 500; ++round) {
      std::string broken = sample.bytes.substr(0, 12 + random() % 40);
      for (auto size = random() % 400; size > 0; --size) broken.push_back(static_cast<char>(random()));
      check(decode(broken));
      (void)read_text(broken);
    }
  }
}

TEST_CASE("hostile pictures: a good file with something appended is still that picture") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    CHECK(decode(sample.bytes + std::string(1000, 'x')).has_value());
  }
}

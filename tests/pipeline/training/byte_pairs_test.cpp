// The tokenizer that is made for the demo model, read back by the pipeline's own.
#include "pipeline/training/byte_pairs.h"

#include <random>
#include <sstream>

#include <catch2/catch.hpp>

#include "pipeline/text/tokenizer.h"
#include "pipeline/training/describe.h"
#include "tests/pipeline/training/scratch_folder.h"

namespace waggle::training {
namespace {

pipeline::Tokenizer written(const BytePairs& pairs, const test::ScratchFolder& folder) {
  write_tokenizer(pairs, folder.path());
  auto tokenizer = pipeline::Tokenizer::load(folder.path());
  REQUIRE(tokenizer);
  return std::move(*tokenizer);
}

TEST_CASE("byte pairs: every word of captions that were not looked at is one token") {
  const test::ScratchFolder folder;
  const auto tokenizer = written(learn_byte_pairs(caption_words(1, 20000)), folder);
  std::mt19937_64 generator(99);
  for (int i = 0; i < 3000; ++i) {
    const Scene scene = i % 2 == 0 ? random_scene(generator) : held_out_scene(generator);
    std::string spaced;
    for (const char c : describe(scene, generator))
      spaced += c == ',' || c == '-' ? std::string(" ") + c + " " : std::string(1, c);
    std::istringstream words(spaced);
    for (std::string word; words >> word;) {
      INFO(word);
      REQUIRE(tokenizer.encode(word).size() == 1);
    }
  }
}

TEST_CASE("byte pairs: the longest caption fits between begin and end") {
  const test::ScratchFolder folder;
  const auto tokenizer = written(learn_byte_pairs(caption_words(1, 20000)), folder);
  std::mt19937_64 generator(7);
  for (int i = 0; i < 3000; ++i)
    REQUIRE(tokenizer.encode(describe(random_scene(generator), generator)).size() <= 75);
}

TEST_CASE("byte pairs: a word that nobody taught falls into pieces and loses nothing") {
  const test::ScratchFolder folder;
  const auto pairs = learn_byte_pairs({"red", "green", "ring"});
  const auto tokenizer = written(pairs, folder);
  std::string back;
  for (const auto id : tokenizer.encode("greenish")) back += pairs.tokens[static_cast<std::size_t>(id)];
  CHECK(back == "greenish</w>");
  CHECK(tokenizer.encode("red green ring").size() == 3);
}

TEST_CASE("byte pairs: the same words give the same merges in any build") {
  const auto pairs = learn_byte_pairs({"red", "green", "ring"});
  REQUIRE(pairs.merges.size() >= 3);
  CHECK(pairs.merges[0] == std::pair<std::string, std::string>("r", "e"));
  CHECK(pairs.tokens.size() == 512 + pairs.merges.size() + 2);
}

}  // namespace
}  // namespace waggle::training

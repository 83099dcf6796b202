// The tokenizer against the ids that the small Stable Diffusion model of the goldens was run with.
#include "pipeline/text/tokenizer.h"

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/pipeline/text/scratch_folder.h"

using waggle::pipeline::Tokenizer;
using namespace waggle::pipeline::test;

namespace {

Tokenizer load(const std::filesystem::path& dir) {
  auto tokenizer = Tokenizer::load(dir);
  if (!tokenizer) FAIL(to_string(tokenizer.error()));
  return std::move(tokenizer).value();
}

// Rows of `tokens.input_ids` in a safetensors file.
std::vector<std::vector<std::int32_t>> stored_ids(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::uint64_t header_size = 0;
  REQUIRE(bytes.size() > 8);
  std::memcpy(&header_size, bytes.data(), 8);
  const auto header = nlohmann::json::parse(bytes.substr(8, header_size));
  const auto& tensor = header.at("tokens.input_ids");
  REQUIRE(tensor.at("dtype") == "I32");
  const std::size_t rows = tensor.at("shape")[0], columns = tensor.at("shape")[1];
  const char* data = bytes.data() + 8 + header_size + tensor.at("data_offsets")[0].get<std::size_t>();
  std::vector<std::vector<std::int32_t>> ids(rows, std::vector<std::int32_t>(columns));
  for (std::size_t row = 0; row < rows; ++row)
    std::memcpy(ids[row].data(), data + row * columns * 4, columns * 4);
  return ids;
}

}  // namespace

TEST_CASE("tokenizer: the golden prompts give the golden ids") {
  const std::filesystem::path sd15 = std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15";
  const Tokenizer tokenizer = load(sd15 / "tokenizer");
  std::ifstream file(sd15 / "golden.json");
  std::string document{std::istreambuf_iterator<char>(file), {}};
  for (std::size_t at; (at = document.find("-Infinity")) != std::string::npos;)
    document.erase(at, 8)[at] = '0';
  const auto golden = nlohmann::json::parse(document);
  std::vector<std::string> prompts = golden.at("prompts");
  const auto ids = stored_ids(sd15 / "golden.safetensors");
  if (prompts.size() + 1 == ids.size()) prompts.push_back(golden.at("negative_prompt"));
  REQUIRE(prompts.size() == ids.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    CAPTURE(prompts[i]);
    CHECK(tokenizer.encode_padded(prompts[i]) == ids[i]);
  }
}

TEST_CASE("tokenizer: an empty prompt is begin, end and padding") {
  const Tokenizer tokenizer = load(golden_tokenizer());
  CHECK(tokenizer.encode("").empty());
  const auto ids = tokenizer.encode_padded("", 5);
  const auto end = tokenizer.end_of_text();
  CHECK(ids == std::vector<std::int32_t>{tokenizer.begin_of_text(), end, end, end, end});
}

TEST_CASE("tokenizer: a long prompt is cut and keeps its end") {
  const Tokenizer tokenizer = load(golden_tokenizer());
  std::string prompt;
  for (int i = 0; i < 200; ++i) prompt += "cat ";
  const auto all = tokenizer.encode(prompt), cut = tokenizer.encode_padded(prompt);
  REQUIRE(cut.size() == 77);
  CHECK(cut.front() == tokenizer.begin_of_text());
  CHECK(cut.back() == tokenizer.end_of_text());
  CHECK(std::equal(cut.begin() + 1, cut.end() - 1, all.begin()));
}

TEST_CASE("tokenizer: the words of CLIP's pattern") {
  const Tokenizer tokenizer = load(golden_tokenizer());
  const auto joined = [&](std::initializer_list<const char*> words) {
    std::vector<std::int32_t> ids;
    for (const char* word : words) {
      const auto part = tokenizer.encode(word);
      ids.insert(ids.end(), part.begin(), part.end());
    }
    return ids;
  };
  CHECK(tokenizer.encode("it's") == joined({"it", "'s"}));
  CHECK(tokenizer.encode("'style") == joined({"'s", "tyle"}));      // the pattern asks for contractions first
  CHECK(tokenizer.encode("!!'s") == joined({"!!'", "s"}));          // and for runs of anything else last
  CHECK(tokenizer.encode("1234") == joined({"1", "2", "3", "4"}));  // digits one by one
  CHECK(tokenizer.encode("a_b-c") == joined({"a", "_", "b", "-", "c"}));
  CHECK(tokenizer.encode("(cat:1.2)") == joined({"(", "cat", ":", "1", ".", "2", ")"}));
  CHECK(tokenizer.encode("<|endoftext|>cat") == [&] {
    auto ids = tokenizer.encode("cat");
    ids.insert(ids.begin(), tokenizer.end_of_text());
    return ids;
  }());
}

TEST_CASE("tokenizer: the pad token is the model's own") {
  const ScratchTokenizer folder;
  folder.write("special_tokens_map.json", R"({"pad_token": "!"})");
  const Tokenizer tokenizer = load(folder.path());
  CHECK(tokenizer.pad() == 0);
  CHECK(tokenizer.encode_padded("cat").back() == 0);

  folder.write("special_tokens_map.json", R"({"pad_token": {"content": "!", "lstrip": false}})");
  CHECK(load(folder.path()).pad() == 0);
}

TEST_CASE("tokenizer: without the two small files CLIP's own special tokens hold") {
  const ScratchTokenizer folder;
  std::filesystem::remove(folder.path() / "special_tokens_map.json");
  std::filesystem::remove(folder.path() / "tokenizer_config.json");
  const Tokenizer tokenizer = load(folder.path());
  CHECK(tokenizer.pad() == tokenizer.end_of_text());
  CHECK(tokenizer.vocabulary_size() == 1414);
}

TEST_CASE("tokenizer: any bytes are encoded, and every id is of the vocabulary") {
  const Tokenizer tokenizer = load(golden_tokenizer());
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::string bytes;
    for (unsigned i = 0; i < seed % 97; ++i)
      bytes.push_back(static_cast<char>((seed * 2654435761u + i * 40503u) >> 13));
    for (const auto id : tokenizer.encode(bytes)) {
      REQUIRE(id >= 0);
      REQUIRE(static_cast<std::size_t>(id) < tokenizer.vocabulary_size());
    }
  }
}

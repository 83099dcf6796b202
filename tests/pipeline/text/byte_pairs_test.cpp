// The merging of byte pairs against its definition: join every occurrence of the pair of lowest rank, again
// and again.
#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "pipeline/text/tokenizer.h"
#include "tests/pipeline/text/scratch_folder.h"

using waggle::pipeline::Tokenizer;
using waggle::pipeline::test::golden_tokenizer;

namespace {

// Written to be obviously right and slow. ASCII letters only.
class Definition {
 public:
  Definition() {
    std::ifstream vocabulary(golden_tokenizer() / "vocab.json");
    ids_ = nlohmann::json::parse(vocabulary).get<std::map<std::string, std::int32_t>>();
    std::ifstream merges(golden_tokenizer() / "merges.txt");
    std::string left, right;
    std::getline(merges, left);  // the version
    while (merges >> left >> right) ranks_.emplace(std::pair(left, right), ranks_.size());
  }

  std::vector<std::int32_t> operator()(const std::string& word) const {
    std::vector<std::string> parts;
    for (const char c : word) parts.emplace_back(1, c);
    parts.back() += "</w>";
    while (const auto* best = lowest(parts)) {
      std::vector<std::string> joined;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool match = i + 1 < parts.size() && parts[i] == best->first && parts[i + 1] == best->second;
        joined.push_back(match ? parts[i] + parts[i + 1] : parts[i]);
        if (match) ++i;
      }
      parts = joined;
    }
    std::vector<std::int32_t> ids;
    for (const auto& part : parts) ids.push_back(ids_.at(part));
    return ids;
  }

 private:
  using Pair = std::pair<std::string, std::string>;

  const Pair* lowest(const std::vector<std::string>& parts) const {
    const std::pair<const Pair, std::size_t>* best = nullptr;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = ranks_.find(Pair(parts[i], parts[i + 1]));
      if (found != ranks_.end() && (best == nullptr || found->second < best->second)) best = &*found;
    }
    return best == nullptr ? nullptr : &best->first;
  }

  std::map<std::string, std::int32_t> ids_;
  std::map<Pair, std::size_t> ranks_;
};

}  // namespace

TEST_CASE("byte pairs: random words are merged as the definition says") {
  const auto tokenizer = Tokenizer::load(golden_tokenizer());
  REQUIRE(tokenizer.has_value());
  const Definition definition;
  std::mt19937 random(11);
  // Few letters, so that merges overlap and repeat; the commonest, so that there are merges.
  const std::string alphabets[] = {"aeinorst", "ei", "thean", "abcdefghijklmnopqrstuvwxyz"};
  for (int round = 0; round < 2000; ++round) {
    const std::string& letters = alphabets[round % 4];
    std::string word(1 + random() % 40, '\0');
    for (char& c : word) c = letters[random() % letters.size()];
    CAPTURE(word);
    REQUIRE(tokenizer.value().encode(word) == definition(word));
  }
}

TEST_CASE("byte pairs: a word as long as the longest prompt takes milliseconds") {
  const auto tokenizer = Tokenizer::load(golden_tokenizer());
  REQUIRE(tokenizer.has_value());
  const auto seconds = [&](std::size_t size) {
    std::string word(size, 'a');
    for (std::size_t i = 0; i < size; ++i) word[i] = "thein"[i * 7 % 5];
    const auto begin = std::chrono::steady_clock::now();
    CHECK(tokenizer.value().encode(word).size() > 0);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  CHECK(seconds(16 * 1024) < 1.0);
  // A quadratic algorithm would take hours here.
  CHECK(seconds(1 << 20) < 30.0);
}

// Byte-pair encoding (Sennrich et al. 2016) over a handful of words.
#include "pipeline/training/byte_pairs.h"

#include <cctype>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "pipeline/text/vocabulary.h"
#include "pipeline/training/describe.h"
#include "pipeline/training/scene.h"

namespace waggle::training {
namespace {

using Symbols = std::vector<std::string>;
using Pair = std::pair<std::string, std::string>;

constexpr const char* kBegin = "<|startoftext|>";
constexpr const char* kEnd = "<|endoftext|>";

Symbols letters_of(const std::string& word) {
  Symbols symbols;
  for (const char c : word) symbols.emplace_back(1, c);
  symbols.back() += "</w>";
  return symbols;
}

void merge(Symbols& symbols, const Pair& pair) {
  Symbols merged;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const bool here = i + 1 < symbols.size() && symbols[i] == pair.first && symbols[i + 1] == pair.second;
    merged.push_back(here ? symbols[i] + symbols[i + 1] : symbols[i]);
    if (here) ++i;
  }
  symbols = std::move(merged);
}

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  if (!(out << text).flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace

BytePairs learn_byte_pairs(const std::set<std::string>& words) {
  BytePairs out;
  const auto bytes = pipeline::byte_symbols();
  out.tokens.assign(bytes.begin(), bytes.end());
  for (const auto& byte : bytes) out.tokens.push_back(byte + "</w>");

  std::vector<Symbols> split;
  for (const auto& word : words) split.push_back(letters_of(word));
  for (;;) {
    std::map<Pair, int> counts;
    for (const Symbols& symbols : split)
      for (std::size_t i = 0; i + 1 < symbols.size(); ++i) ++counts[{symbols[i], symbols[i + 1]}];
    if (counts.empty()) break;
    auto best = counts.begin();
    for (auto at = counts.begin(); at != counts.end(); ++at)
      if (at->second > best->second) best = at;
    const Pair pair = best->first;
    for (Symbols& symbols : split) merge(symbols, pair);
    out.merges.push_back(pair);
    out.tokens.push_back(pair.first + pair.second);
  }
  out.tokens.emplace_back(kBegin);
  out.tokens.emplace_back(kEnd);
  return out;
}

std::set<std::string> caption_words(std::uint64_t seed, int scenes) {
  std::mt19937_64 generator(seed);
  std::set<std::string> words;
  for (int i = 0; i < scenes; ++i) {
    std::string word;
    for (const char c : describe(random_scene(generator), generator) + " ") {
      if (std::islower(static_cast<unsigned char>(c)) != 0) {
        word += c;
      } else if (!word.empty()) {
        words.insert(std::exchange(word, ""));
      }
    }
  }
  return words;
}

void write_tokenizer(const BytePairs& pairs, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  nlohmann::ordered_json vocabulary = nlohmann::ordered_json::object();
  for (std::size_t id = 0; id < pairs.tokens.size(); ++id) {
    if (vocabulary.contains(pairs.tokens[id])) throw std::runtime_error("two merges make the same token");
    vocabulary[pairs.tokens[id]] = id;
  }
  write(folder / "vocab.json", vocabulary.dump());
  std::string merges = "#version: 0.2\n";
  for (const auto& [left, right] : pairs.merges) merges += left + " " + right + "\n";
  write(folder / "merges.txt", merges);
  const nlohmann::ordered_json special{
      {"bos_token", kBegin}, {"eos_token", kEnd}, {"pad_token", kEnd}, {"unk_token", kEnd}};
  write(folder / "special_tokens_map.json", special.dump(2) + "\n");
  nlohmann::ordered_json config = special;
  config["tokenizer_class"] = "CLIPTokenizer";
  config["do_lower_case"] = true;
  config["model_max_length"] = 77;
  write(folder / "tokenizer_config.json", config.dump(2) + "\n");
}

}  // namespace waggle::training

// Learns CLIP-style byte pairs from a list of words, so that each of them becomes one token, and writes the
// tokenizer's folder. Any other text falls apart into pieces and single bytes, which CLIP's scheme always
// has.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace waggle::training {

struct BytePairs {
  std::vector<std::pair<std::string, std::string>> merges;  ///< by rank
  std::vector<std::string> tokens;                          ///< by id
};

/// Merges the commonest pair of neighbours until every word is whole; ties go to the pair that sorts first.
/// Words are lower-case ASCII letters.
BytePairs learn_byte_pairs(const std::set<std::string>& words);

/// The words that captions of random scenes are made of, found by describing many of them.
std::set<std::string> caption_words(std::uint64_t seed, int scenes);

/// vocab.json, merges.txt, tokenizer_config.json, special_tokens_map.json. Throws std::runtime_error.
void write_tokenizer(const BytePairs& pairs, const std::filesystem::path& folder);

}  // namespace waggle::training

// A CLIP vocabulary as its files describe it: ids of byte symbols, merges by rank, special tokens. Reading
// only; how text becomes ids is tokenizer.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

#include "schemas/result.h"

namespace waggle::pipeline {

struct Merge {
  std::int32_t rank;     ///< lower is merged first
  std::int32_t product;  ///< id of the joined token
};

struct Vocabulary {
  std::array<std::int32_t, 256> byte_id{};          ///< id of each byte inside a word
  std::array<std::int32_t, 256> closing_byte_id{};  ///< id of each byte at the end of a word ("</w>")
  std::unordered_map<std::uint64_t, Merge> merges;  ///< by key()
  std::int32_t begin_of_text = 0, end_of_text = 0, pad = 0;
  std::size_t size = 0;  ///< one above the largest id

  static std::uint64_t key(std::int32_t left, std::int32_t right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  [[nodiscard]] const Merge* find(std::int32_t left, std::int32_t right) const {
    const auto found = merges.find(key(left, right));
    return found == merges.end() ? nullptr : &found->second;
  }
};

/// The printable stand-in of each byte, as GPT-2 chose them: visible Latin-1 characters stand for themselves,
/// all others, in order, for U+0100 and on.
std::array<std::string, 256> byte_symbols();

/// Reads vocab.json and merges.txt of a folder, and special_tokens_map.json and tokenizer_config.json where
/// present. Memory stays within a small multiple of the files, which may have 32 MiB each. Errors:
/// model_load_failed naming file and line.
Result<Vocabulary> load_vocabulary(const std::filesystem::path& dir);

}  // namespace waggle::pipeline

// CLIP's byte-pair tokenizer, from a vocab.json and a merges.txt.
//
// Text is cleaned as OpenAI's tokenizer does it (pipeline/text/cleaning.h), split by CLIP's pattern, mapped
// to byte symbols and merged by rank. Prompt syntax (weights, chunks) is pipeline/text/prompt.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace waggle::pipeline {

class Tokenizer {
 public:
  /// Reads `vocab.json`, `merges.txt`, and, when present, `tokenizer_config.json` and
  /// `special_tokens_map.json` (the pad token). Errors: model_load_failed naming file and line.
  static Result<Tokenizer> load(const std::filesystem::path& dir);

  /// Ids of the text without begin- and end-of-text, not truncated. Any bytes are accepted; invalid UTF-8
  /// becomes U+FFFD.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text) const;

  /// [begin, up to `length` - 2 ids, end, pad...]: exactly `length` ids, cut when longer.
  [[nodiscard]] std::vector<std::int32_t> encode_padded(std::string_view text, std::size_t length = 77) const;

  [[nodiscard]] std::int32_t begin_of_text() const;
  [[nodiscard]] std::int32_t end_of_text() const;
  [[nodiscard]] std::int32_t pad() const;
  /// The same vocabulary, padded with another id (OpenCLIP pads with 0). Shares the tables.
  [[nodiscard]] Tokenizer with_pad(std::int32_t id) const;
  [[nodiscard]] std::size_t vocabulary_size() const;  ///< every id is below it

 private:
  struct Tables;
  std::shared_ptr<const Tables> tables_;
  std::optional<std::int32_t> pad_;  // instead of the tables' own
};

}  // namespace waggle::pipeline

// Where a text names textual-inversion embeddings. Works on text alone: which embeddings there are is the
// caller's to know.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waggle::pipeline {

/// A place in a text that stands for an embedding.
struct EmbeddingMention {
  std::size_t begin = 0, end = 0;  ///< bytes of the text
  std::size_t embedding = 0;       ///< index into the names
  bool operator==(const EmbeddingMention&) const = default;
};

/// In order, without overlaps. An embedding is named as a whole word (AUTOMATIC1111) or as `embedding:name`,
/// with or without the file's ending (ComfyUI). ASCII case says nothing; of several names the longest counts.
std::vector<EmbeddingMention> find_embeddings(std::string_view text, std::span<const std::string> names);

/// The names behind `embedding:` that are not among `names`, as they are written.
std::vector<std::string> unknown_embeddings(std::string_view text, std::span<const std::string> names);

}  // namespace waggle::pipeline

// A prompt as the text encoder gets it: chunks of 77 ids with a weight for each. No tensors here; who encodes
// the chunks multiplies the weights in.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/text/tokenizer.h"

namespace waggle::pipeline {

enum class PromptSyntax : std::uint8_t {
  plain,     ///< as diffusers reads it: one chunk, what is too long is cut, brackets are text
  weighted,  ///< as AUTOMATIC1111 documents it: emphasis, BREAK, chunks of 75 one after another
};

/// A textual-inversion embedding that a prompt may name.
struct EmbeddingName {
  std::string name;         ///< as it is written in the prompt
  std::size_t vectors = 1;  ///< token places that it takes
};

/// Where an embedding's vectors go.
struct EmbeddingSpan {
  std::size_t embedding = 0;  ///< index into the names that were given
  std::size_t position = 0;   ///< of its first vector in the chunk's ids
  bool operator==(const EmbeddingSpan&) const = default;
};

/// begin, up to 75 ids, end, padding: what Tokenizer::encode_padded makes of it. The places of embeddings
/// hold id 0.
struct PromptChunk {
  std::vector<std::int32_t> ids;          ///< 77
  std::vector<float> weights;             ///< 77; 1 for begin, end and padding
  std::vector<EmbeddingSpan> embeddings;  ///< by position

  /// Whether every weight is 1, so that nothing is to be multiplied.
  [[nodiscard]] bool is_plain() const;
};

/// At least one chunk. A prompt of up to 75 ids without emphasis gives the same ids in both syntaxes. Where a
/// weighted prompt outgrows a chunk, it is cut behind the last comma if one is among the last 20 ids. BREAK
/// ends a chunk that has something in it. Embeddings are found as pipeline/text/embedding_names.h says, and
/// never cut.
std::vector<PromptChunk> chunk_prompt(const Tokenizer& tokenizer, std::string_view prompt,
                                      PromptSyntax syntax, std::span<const EmbeddingName> embeddings = {});

/// What of `names` a prompt names, each once, and what it asks for by `embedding:` that is not there.
struct NamedEmbeddings {
  std::vector<std::size_t> known;
  std::vector<std::string> unknown;
};
NamedEmbeddings named_embeddings(std::string_view prompt, PromptSyntax syntax,
                                 std::span<const std::string> names);

/// Gives two prompts the same number of chunks, as guidance needs them, by adding chunks of the empty prompt.
void equalize(const Tokenizer& tokenizer, std::vector<PromptChunk>& one, std::vector<PromptChunk>& other);

}  // namespace waggle::pipeline

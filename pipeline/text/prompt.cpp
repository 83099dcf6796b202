// Chunks of a prompt: see pipeline/text/prompt.h.
#include "pipeline/text/prompt.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/text/embedding_names.h"
#include "pipeline/text/prompt_weights.h"

namespace waggle::pipeline {
namespace {

constexpr std::size_t kRoom = 75;           // ids between begin and end
constexpr std::size_t kCommaDistance = 20;  // how far back a chunk may be cut at a comma

class Chunker {
 public:
  Chunker(const Tokenizer& tokenizer, std::span<const EmbeddingName> names)
      : tokenizer_(tokenizer), embeddings_(names) {
    for (const EmbeddingName& embedding : names)
      names_.push_back(embedding.vectors > 0 && embedding.vectors <= kRoom ? embedding.name : "");
    const auto comma = tokenizer.encode(",");
    comma_ = comma.size() == 1 ? comma[0] : -1;
  }

  void add(std::string_view text, float weight) {
    std::size_t done = 0;
    for (const EmbeddingMention& mention : find_embeddings(text, names_)) {
      add_words(text.substr(done, mention.begin - done), weight);
      if (!full_) add_embedding(mention.embedding, weight);
      done = mention.end;
    }
    add_words(text.substr(done), weight);
  }

  void end_chunk() {
    if (!ids_.empty()) close(ids_.size());
  }

  /// From now on what does not fit is dropped.
  void allow_one_chunk() { only_one_ = true; }

  std::vector<PromptChunk> finish() {
    if (!ids_.empty() || chunks_.empty()) close(ids_.size());
    return std::move(chunks_);
  }

 private:
  void add_words(std::string_view text, float weight) {
    if (text.empty() || full_) return;
    for (const std::int32_t id : tokenizer_.encode(text))
      if (!full_) add_id(id, weight);
  }

  void add_id(std::int32_t id, float weight) {
    if (ids_.size() == kRoom && !make_room(id)) return;
    if (id == comma_) after_comma_ = ids_.size() + 1;
    ids_.push_back(id);
    weights_.push_back(weight);
  }

  void add_embedding(std::size_t embedding, float weight) {
    const std::size_t vectors = embeddings_[embedding].vectors;
    if (ids_.size() + vectors > kRoom) {
      if (only_one_) {
        full_ = true;
        return;
      }
      close(ids_.size());
    }
    spans_.push_back({embedding, ids_.size() + 1});  // behind the begin
    ids_.insert(ids_.end(), vectors, 0);
    weights_.insert(weights_.end(), vectors, weight);
  }

  // Ends the full chunk, behind its last comma when that is near and the next id is no comma itself.
  bool make_room(std::int32_t next) {
    if (only_one_) {
      full_ = true;
      return false;
    }
    const bool at_comma = next != comma_ && after_comma_ > 0 && kRoom + 1 - after_comma_ <= kCommaDistance;
    close(at_comma ? after_comma_ : kRoom);
    return true;
  }

  // Makes a chunk of the first `size` ids and keeps the others for the next.
  void close(std::size_t size) {
    const auto split = static_cast<std::ptrdiff_t>(size);
    PromptChunk chunk;
    chunk.ids.push_back(tokenizer_.begin_of_text());
    chunk.ids.insert(chunk.ids.end(), ids_.begin(), ids_.begin() + split);
    chunk.ids.push_back(tokenizer_.end_of_text());
    chunk.ids.resize(kRoom + 2, tokenizer_.pad());
    chunk.weights.assign(kRoom + 2, 1.0f);
    std::copy(weights_.begin(), weights_.begin() + split, chunk.weights.begin() + 1);
    const auto later =
        std::ranges::find_if(spans_, [size](const EmbeddingSpan& span) { return span.position > size; });
    chunk.embeddings.assign(spans_.begin(), later);
    spans_.erase(spans_.begin(), later);
    for (EmbeddingSpan& span : spans_) span.position -= size;
    ids_.erase(ids_.begin(), ids_.begin() + split);
    weights_.erase(weights_.begin(), weights_.begin() + split);
    after_comma_ = 0;
    chunks_.push_back(std::move(chunk));
  }

  const Tokenizer& tokenizer_;
  std::span<const EmbeddingName> embeddings_;
  std::vector<std::string> names_;  // of the embeddings; empty: takes no part
  std::int32_t comma_ = -1;
  bool only_one_ = false, full_ = false;
  std::vector<PromptChunk> chunks_;
  // The chunk in the making.
  std::vector<std::int32_t> ids_;
  std::vector<float> weights_;
  std::vector<EmbeddingSpan> spans_;
  std::size_t after_comma_ = 0;  ///< ids up to and with its last comma; 0: none
};

}  // namespace

bool PromptChunk::is_plain() const {
  return std::ranges::all_of(weights, [](float weight) { return weight == 1.0f; });
}

std::vector<PromptChunk> chunk_prompt(const Tokenizer& tokenizer, std::string_view prompt,
                                      PromptSyntax syntax, std::span<const EmbeddingName> embeddings) {
  Chunker chunker(tokenizer, embeddings);
  if (syntax == PromptSyntax::plain) {
    chunker.allow_one_chunk();
    chunker.add(prompt, 1.0f);
    return chunker.finish();
  }
  for (const PromptPart& part : parse_weights(prompt)) {
    if (part.starts_chunk) chunker.end_chunk();
    chunker.add(part.text, static_cast<float>(part.weight));
  }
  return chunker.finish();
}

NamedEmbeddings named_embeddings(std::string_view prompt, PromptSyntax syntax,
                                 std::span<const std::string> names) {
  std::vector<PromptPart> parts;
  if (syntax == PromptSyntax::plain)
    parts.push_back({std::string(prompt), 1.0, false});
  else
    parts = parse_weights(prompt);
  NamedEmbeddings named;
  for (const PromptPart& part : parts) {
    for (const EmbeddingMention& mention : find_embeddings(part.text, names))
      if (std::ranges::find(named.known, mention.embedding) == named.known.end())
        named.known.push_back(mention.embedding);
    std::ranges::move(unknown_embeddings(part.text, names), std::back_inserter(named.unknown));
  }
  return named;
}

void equalize(const Tokenizer& tokenizer, std::vector<PromptChunk>& one, std::vector<PromptChunk>& other) {
  const PromptChunk empty = chunk_prompt(tokenizer, "", PromptSyntax::plain).front();
  const std::size_t size = std::max(one.size(), other.size());
  one.resize(size, empty);
  other.resize(size, empty);
}

}  // namespace waggle::pipeline

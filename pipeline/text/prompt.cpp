// Chunks of a prompt: see pipeline/text/prompt.h.
#include "pipeline/text/prompt.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pipeline/text/prompt_weights.h"

namespace waggle::pipeline {
namespace {

constexpr std::size_t kRoom = 75;           // ids between begin and end
constexpr std::size_t kCommaDistance = 20;  // how far back a chunk may be cut at a comma

// The embeddings by the first id of their names, longest name first.
class EmbeddingFinder {
 public:
  struct Match {
    std::size_t embedding, ids;  ///< which one, and how many ids its name has
  };

  EmbeddingFinder(const Tokenizer& tokenizer, std::span<const EmbeddingName> names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      auto ids = tokenizer.encode(names[i].name);
      if (!ids.empty() && names[i].vectors > 0 && names[i].vectors <= kRoom) {
        by_first_id_[ids[0]].push_back({i, std::move(ids)});
      }
    }
    for (auto& [first, entries] : by_first_id_) {
      std::ranges::stable_sort(entries, std::ranges::greater{},
                               [](const Entry& entry) { return entry.ids.size(); });
    }
  }

  [[nodiscard]] std::optional<Match> at(std::span<const std::int32_t> ids) const {
    const auto entries = by_first_id_.find(ids[0]);
    if (entries == by_first_id_.end()) return std::nullopt;
    for (const Entry& entry : entries->second) {
      if (entry.ids.size() <= ids.size() && std::equal(entry.ids.begin(), entry.ids.end(), ids.begin())) {
        return Match{entry.embedding, entry.ids.size()};
      }
    }
    return std::nullopt;
  }

 private:
  struct Entry {
    std::size_t embedding;
    std::vector<std::int32_t> ids;
  };
  std::unordered_map<std::int32_t, std::vector<Entry>> by_first_id_;
};

class Chunker {
 public:
  Chunker(const Tokenizer& tokenizer, std::span<const EmbeddingName> names)
      : tokenizer_(tokenizer), names_(names), finder_(tokenizer, names) {
    const auto comma = tokenizer.encode(",");
    comma_ = comma.size() == 1 ? comma[0] : -1;
  }

  void add(std::string_view text, float weight) {
    const std::vector<std::int32_t> all = tokenizer_.encode(text);
    for (std::span<const std::int32_t> rest(all); !rest.empty() && !full_;) {
      if (const auto match = finder_.at(rest)) {
        add_embedding(match->embedding, weight);
        rest = rest.subspan(match->ids);
      } else {
        add_id(rest[0], weight);
        rest = rest.subspan(1);
      }
    }
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
  void add_id(std::int32_t id, float weight) {
    if (ids_.size() == kRoom && !make_room(id)) return;
    if (id == comma_) after_comma_ = ids_.size() + 1;
    ids_.push_back(id);
    weights_.push_back(weight);
  }

  void add_embedding(std::size_t embedding, float weight) {
    const std::size_t vectors = names_[embedding].vectors;
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
  std::span<const EmbeddingName> names_;
  EmbeddingFinder finder_;
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

void equalize(const Tokenizer& tokenizer, std::vector<PromptChunk>& one, std::vector<PromptChunk>& other) {
  const PromptChunk empty = chunk_prompt(tokenizer, "", PromptSyntax::plain).front();
  const std::size_t size = std::max(one.size(), other.size());
  one.resize(size, empty);
  other.resize(size, empty);
}

}  // namespace waggle::pipeline

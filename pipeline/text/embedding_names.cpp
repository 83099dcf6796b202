// Finding names in text.
#include "pipeline/text/embedding_names.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

namespace waggle::pipeline {
namespace {

constexpr std::string_view kPrefix = "embedding:";
constexpr std::string_view kEndings[] = {".safetensors", ".pt", ".bin"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

/// Letters of any language, digits and the underscore.
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80);
}

/// What ends a name behind `embedding:` (a hyphen does not).
bool ends_name(char c) { return std::string_view(" \t\r\n,;:()[]{}<>|").find(c) != std::string_view::npos; }

class Finder {
 public:
  Finder(std::string_view text, std::span<const std::string> names) : text_(lower(text)) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) continue;
      by_name_.try_emplace(lower(names[i]), i);
      lengths_.insert(names[i].size());
    }
  }

  [[nodiscard]] std::size_t size() const { return text_.size(); }

  /// A name behind `embedding:` at `at`, if that stands there.
  struct Explicit {
    std::size_t begin, end;                ///< of the name and its file's ending
    std::optional<std::size_t> embedding;  ///< nothing: unknown
  };
  [[nodiscard]] std::optional<Explicit> explicit_at(std::size_t at) const {
    if (text_.compare(at, kPrefix.size(), kPrefix) != 0 || (at > 0 && is_word(text_[at - 1]))) return {};
    const std::size_t begin = at + kPrefix.size();
    for (const std::size_t length : lengths_) {
      const auto known = name_at(begin, length);
      if (!known) continue;
      for (const std::string_view ending : kEndings)
        if (text_.compare(begin + length, ending.size(), ending) == 0 &&
            name_ends(begin + length + ending.size()))
          return Explicit{begin, begin + length + ending.size(), known};
      if (name_ends(begin + length)) return Explicit{begin, begin + length, known};
    }
    std::size_t end = begin;
    while (end < text_.size() && !name_ends(end)) ++end;
    if (end == begin) return {};
    return Explicit{begin, end, {}};
  }

  /// A name that stands at `at` as a word of its own.
  [[nodiscard]] std::optional<EmbeddingMention> word_at(std::size_t at) const {
    const bool starts = at == 0 || !is_word(text_[at - 1]) || !is_word(text_[at]);
    if (!starts) return {};
    for (const std::size_t length : lengths_) {
      const auto known = name_at(at, length);
      const std::size_t end = at + length;
      if (known && (end >= text_.size() || !is_word(text_[end]) || !is_word(text_[end - 1])))
        return EmbeddingMention{at, end, *known};
    }
    return {};
  }

 private:
  [[nodiscard]] std::optional<std::size_t> name_at(std::size_t at, std::size_t length) const {
    if (at + length > text_.size()) return {};
    const auto found = by_name_.find(text_.substr(at, length));
    if (found == by_name_.end()) return {};
    return found->second;
  }
  /// A full stop ends a name when nothing of the name can follow it.
  [[nodiscard]] bool name_ends(std::size_t at) const {
    if (at >= text_.size() || ends_name(text_[at])) return true;
    return text_[at] == '.' && (at + 1 >= text_.size() || ends_name(text_[at + 1]));
  }

  std::string text_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::set<std::size_t, std::greater<>> lengths_;  // longest first
};

}  // namespace

std::vector<EmbeddingMention> find_embeddings(std::string_view text, std::span<const std::string> names) {
  std::vector<EmbeddingMention> mentions;
  if (names.empty()) return mentions;
  const Finder finder(text, names);
  for (std::size_t at = 0; at < finder.size();) {
    std::optional<EmbeddingMention> mention;
    if (const auto named = finder.explicit_at(at); named && named->embedding)
      mention = {at, named->end, *named->embedding};
    else
      mention = finder.word_at(at);
    if (mention) mentions.push_back(*mention);
    at = mention ? mention->end : at + 1;
  }
  return mentions;
}

std::vector<std::string> unknown_embeddings(std::string_view text, std::span<const std::string> names) {
  std::vector<std::string> unknown;
  const Finder finder(text, names);
  for (std::size_t at = 0; at < finder.size(); ++at)
    if (const auto named = finder.explicit_at(at); named && !named->embedding)
      unknown.emplace_back(text.substr(named->begin, named->end - named->begin));
  return unknown;
}

}  // namespace waggle::pipeline

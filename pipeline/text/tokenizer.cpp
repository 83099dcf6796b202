// Encoding: CLIP's word pattern and the merging of byte pairs by rank. Reading the files is vocabulary.cpp.
#include "pipeline/text/tokenizer.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/text/cleaning.h"
#include "pipeline/text/unicode.h"
#include "pipeline/text/vocabulary.h"

namespace waggle::pipeline {
namespace {

constexpr std::u32string_view kBegin = U"<|startoftext|>";
constexpr std::u32string_view kEnd = U"<|endoftext|>";

// The length of "'s", "'t", "'re", "'ve", "'m", "'ll" or "'d" at the start of the text, or 0. The pattern
// ignores case, so the long s counts as an s.
std::size_t contraction(std::u32string_view text) {
  if (text.size() < 2 || text[0] != U'\'') return 0;
  if (text[1] == U's' || text[1] == U'\u017F' || text[1] == U't' || text[1] == U'm' || text[1] == U'd')
    return 2;
  const std::u32string_view pair = text.substr(1, 2);
  return pair == U"re" || pair == U"ve" || pair == U"ll" ? 3 : 0;
}

// The length of the word at the start of the text, whose first character is no space: a contraction, a run of
// letters, one digit, or a run of anything else.
std::size_t word_length(std::u32string_view text) {
  if (const std::size_t size = contraction(text)) return size;
  if (unicode::is_number(text[0])) return 1;
  const auto is_other = [](char32_t c) {
    return !unicode::is_letter(c) && !unicode::is_number(c) && !unicode::is_space(c);
  };
  std::size_t size = 1;
  if (unicode::is_letter(text[0])) {
    while (size < text.size() && unicode::is_letter(text[size])) ++size;
  } else {
    while (size < text.size() && is_other(text[size])) ++size;
  }
  return size;
}

// Merges the pairs of one word, lowest rank first, all occurrences of a pair from left to right before the
// next pair. A heap of candidates and a linked list of symbols: n log n in the length of the word, however
// hostile.
class WordMerger {
 public:
  explicit WordMerger(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  void append(std::string_view word, std::vector<std::int32_t>& out) {
    nodes_.clear();
    for (std::size_t i = 0; i < word.size(); ++i) {
      const auto byte = static_cast<unsigned char>(word[i]);
      const bool last = i + 1 == word.size();
      const int at = static_cast<int>(i);
      nodes_.push_back({last ? vocabulary_.closing_byte_id[byte] : vocabulary_.byte_id[byte], at - 1,
                        last ? kNone : at + 1});
    }
    for (int i = 0; i + 1 < static_cast<int>(nodes_.size()); ++i) offer(i);
    merge_all();
    for (int i = 0; i != kNone; i = nodes_[static_cast<std::size_t>(i)].next) {
      out.push_back(nodes_[static_cast<std::size_t>(i)].id);
    }
  }

 private:
  static constexpr int kNone = -1;
  static constexpr std::int32_t kMerged = -1;  // the id of a node that went into its left neighbour

  struct Node {
    std::int32_t id;
    int previous, next;
  };
  struct Candidate {
    std::int32_t rank;
    int left;
    std::int32_t left_id, right_id, product;
    bool operator>(const Candidate& other) const {
      return std::pair(rank, left) > std::pair(other.rank, other.left);
    }
  };

  Node& node(int i) { return nodes_[static_cast<std::size_t>(i)]; }

  // Puts the pair that begins at `left` among the candidates, when there is a merge for it.
  void offer(int left) {
    if (left == kNone || node(left).next == kNone) return;
    const std::int32_t a = node(left).id, b = node(node(left).next).id;
    if (const Merge* merge = vocabulary_.find(a, b)) heap_.push({merge->rank, left, a, b, merge->product});
  }

  void merge_all() {
    std::vector<int> touched;
    while (!heap_.empty()) {
      const std::int32_t rank = heap_.top().rank;
      touched.clear();
      // New pairs wait until every occurrence of this one is merged.
      for (; !heap_.empty() && heap_.top().rank == rank; heap_.pop()) {
        const Candidate& best = heap_.top();
        Node& left = node(best.left);
        if (left.id != best.left_id || left.next == kNone || node(left.next).id != best.right_id) continue;
        Node& right = node(left.next);
        left.id = best.product;
        right.id = kMerged;
        left.next = right.next;
        if (right.next != kNone) node(right.next).previous = best.left;
        touched.push_back(best.left);
      }
      for (const int i : touched) {
        if (node(i).id == kMerged) continue;
        offer(node(i).previous);
        offer(i);
      }
    }
  }

  const Vocabulary& vocabulary_;
  std::vector<Node> nodes_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap_;
};

}  // namespace

struct Tokenizer::Tables : Vocabulary {};

Result<Tokenizer> Tokenizer::load(const std::filesystem::path& dir) {
  Result<Vocabulary> vocabulary = load_vocabulary(dir);
  if (!vocabulary) return std::move(vocabulary).error();
  Tokenizer tokenizer;
  tokenizer.tables_ = std::make_shared<const Tables>(Tables{std::move(*vocabulary)});
  return tokenizer;
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  const std::u32string clean = clean_prompt(text);
  std::vector<std::int32_t> ids;
  WordMerger merger(*tables_);
  for (std::u32string_view rest = clean; !rest.empty();) {
    if (rest[0] == U' ') {
      rest.remove_prefix(1);
    } else if (rest.starts_with(kBegin)) {
      ids.push_back(tables_->begin_of_text);
      rest.remove_prefix(kBegin.size());
    } else if (rest.starts_with(kEnd)) {
      ids.push_back(tables_->end_of_text);
      rest.remove_prefix(kEnd.size());
    } else {
      const std::size_t size = word_length(rest);
      merger.append(unicode::to_utf8(rest.substr(0, size)), ids);
      rest.remove_prefix(size);
    }
  }
  return ids;
}

std::vector<std::int32_t> Tokenizer::encode_padded(std::string_view text, std::size_t length) const {
  if (length < 2) throw std::invalid_argument("a padded prompt holds at least its begin and its end");
  std::vector<std::int32_t> ids = encode(text);
  ids.resize(std::min(ids.size(), length - 2));
  ids.insert(ids.begin(), tables_->begin_of_text);
  ids.push_back(tables_->end_of_text);
  ids.resize(length, pad());
  return ids;
}

std::int32_t Tokenizer::begin_of_text() const { return tables_->begin_of_text; }
std::int32_t Tokenizer::end_of_text() const { return tables_->end_of_text; }
std::int32_t Tokenizer::pad() const { return pad_.value_or(tables_->pad); }

Tokenizer Tokenizer::with_pad(std::int32_t id) const {
  Tokenizer other = *this;
  other.pad_ = id;
  return other;
}

std::size_t Tokenizer::vocabulary_size() const { return tables_->size; }

}  // namespace waggle::pipeline

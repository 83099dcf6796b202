// Emphasis in prompts: see pipeline/text/prompt_weights.h.
#include "pipeline/text/prompt_weights.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waggle::pipeline {
namespace {

constexpr double kBracket = 1.1;
constexpr double kLargestWeight = 10.0;  // hundreds of nested brackets would overflow what tensors hold
constexpr std::string_view kBreak = "BREAK";

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// ":1.3)" with spaces where a person may put them: the weight, and how far it reaches.
struct StatedWeight {
  double weight;
  std::size_t size;
};
std::optional<StatedWeight> stated_weight(std::string_view text) {
  const auto skip_spaces = [&](std::size_t i) {
    while (i < text.size() && is_space(text[i])) ++i;
    return i;
  };
  std::size_t begin = skip_spaces(1);
  const bool plus = begin < text.size() && text[begin] == '+';
  begin += plus;
  std::size_t end = begin;
  while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == '.' ||
                               (text[end] == '-' && end == begin && !plus))) {
    ++end;
  }
  const std::size_t closing = skip_spaces(end);
  if (end == begin || closing == text.size() || text[closing] != ')') return std::nullopt;
  double weight = 0;
  const auto read = std::from_chars(text.data() + begin, text.data() + end, weight, std::chars_format::fixed);
  if (read.ec == std::errc::result_out_of_range) weight = kLargestWeight;
  if (read.ec == std::errc::invalid_argument || read.ptr != text.data() + end) return std::nullopt;
  return StatedWeight{weight, closing + 1};
}

// Whether the word BREAK, and not a part of another word, begins at `at`.
bool is_break(std::string_view text, std::size_t at) {
  if (text.substr(at, kBreak.size()) != kBreak) return false;
  const std::size_t end = at + kBreak.size();
  return (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
}

class Parser {
 public:
  explicit Parser(std::string_view prompt) : text_(prompt) {}

  std::vector<PromptPart> parse() {
    while (at_ < text_.size()) step();
    // Brackets that are still open reach to the end.
    for (const std::size_t first : round_) multiply(first, kBracket);
    for (const std::size_t first : square_) multiply(first, 1 / kBracket);
    return merged();
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '\\') {
      escaped();
    } else if (c == '(' || c == '[') {
      (c == '(' ? round_ : square_).push_back(begin_part());
      ++at_;
    } else if (c == ')' && !round_.empty()) {
      close(round_, kBracket);
      ++at_;
    } else if (c == ']' && !square_.empty()) {
      close(square_, 1 / kBracket);
      ++at_;
    } else if (const auto stated =
                   c == ':' && !round_.empty() ? stated_weight(text_.substr(at_)) : std::nullopt) {
      close(round_, stated->weight);
      at_ += stated->size;
    } else if (c == 'B' && is_break(text_, at_)) {
      break_here();
    } else {
      parts_.back().text.push_back(c);
      ++at_;
    }
  }

  // A bracket or a backslash stands for itself behind a backslash; another backslash alone is dropped.
  void escaped() {
    ++at_;
    static constexpr std::string_view kEscapable = "()[]\\";
    if (at_ < text_.size() && kEscapable.find(text_[at_]) != std::string_view::npos) {
      parts_.back().text.push_back(text_[at_++]);
    }
  }

  void break_here() {
    std::string& before = parts_.back().text;
    while (!before.empty() && is_space(before.back())) before.pop_back();
    begin_part();
    parts_.back().starts_chunk = true;
    at_ += kBreak.size();
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  // Opens a new part and returns its index.
  std::size_t begin_part() {
    parts_.emplace_back();
    return parts_.size() - 1;
  }

  void close(std::vector<std::size_t>& brackets, double factor) {
    multiply(brackets.back(), factor);
    brackets.pop_back();
    begin_part();
  }

  void multiply(std::size_t first, double factor) {
    for (std::size_t i = first; i < parts_.size(); ++i) parts_[i].weight *= factor;
  }

  std::vector<PromptPart> merged() {
    std::vector<PromptPart> out;
    for (PromptPart& part : parts_) {
      part.weight = std::clamp(part.weight, -kLargestWeight, kLargestWeight);
      if (part.text.empty() && !part.starts_chunk) continue;
      if (!out.empty() && !part.starts_chunk && out.back().weight == part.weight) {
        out.back().text += part.text;
      } else if (!out.empty() && !part.starts_chunk && out.back().text.empty()) {
        out.back() = {std::move(part.text), part.weight, out.back().starts_chunk};
      } else {
        out.push_back(std::move(part));
      }
    }
    if (out.empty()) out.emplace_back();
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<PromptPart> parts_{1};
  std::vector<std::size_t> round_, square_;  ///< the first part inside each open bracket
};

}  // namespace

std::vector<PromptPart> parse_weights(std::string_view prompt) { return Parser(prompt).parse(); }

}  // namespace waggle::pipeline

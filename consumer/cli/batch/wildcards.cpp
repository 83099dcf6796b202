// A prompt is a sequence of pieces; a piece is plain text or a list of such sequences to choose from.
#include "consumer/cli/batch/wildcards.h"

#include <utility>

namespace waggle::cli::batch {

namespace {

constexpr std::size_t kDeepest = 20;  ///< choices within choices; deeper ones are taken as text

struct Piece;
using Sequence = std::vector<Piece>;
struct Piece {
  std::string text;
  std::vector<Sequence> choices;  ///< when not empty, in place of the text
};

void add_text(Sequence& sequence, std::string_view text) {
  if (sequence.empty() || !sequence.back().choices.empty()) sequence.emplace_back();
  sequence.back().text += text;
}

constexpr std::size_t kNowhere = std::string_view::npos;

bool is_escape(std::string_view text, std::size_t at) {
  return text[at] == '\\' && at + 1 < text.size() &&
         std::string_view("{|}").find(text[at + 1]) != std::string_view::npos;
}

/// Which braces are choices, found in one pass before anything is built: a prompt of nothing but braces must
/// not take longer than another.
class Braces {
 public:
  explicit Braces(std::string_view text) : closing_(text.size(), kNowhere), owner_(text.size(), kNowhere) {
    struct Open {
      std::size_t at;
      std::vector<std::size_t> bars;
    };
    std::vector<Open> open;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (is_escape(text, at)) {
        ++at;
      } else if (text[at] == '{') {
        open.push_back({at, {}});
      } else if (text[at] == '|' && !open.empty()) {
        open.back().bars.push_back(at);
      } else if (text[at] == '}' && !open.empty()) {
        const bool choice = !open.back().bars.empty() && open.size() <= kDeepest;
        if (choice) closing_[open.back().at] = at;
        for (const std::size_t bar : open.back().bars) owner_[bar] = choice ? open.back().at : kNowhere;
        open.pop_back();
      }
    }
  }
  /// Of the choice that opens there, or kNowhere.
  [[nodiscard]] std::size_t closing(std::size_t brace) const { return closing_[brace]; }
  [[nodiscard]] bool separates(std::size_t bar, std::size_t brace) const {
    return brace != kNowhere && owner_[bar] == brace;
  }

 private:
  std::vector<std::size_t> closing_, owner_;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), braces_(text) {}

  Sequence parse() { return sequence(text_.size(), kNowhere); }

 private:
  /// From here to `end`, or to the next bar of the choice that opened at `brace`.
  Sequence sequence(std::size_t end, std::size_t brace) {
    Sequence made;
    while (at_ < end && !braces_.separates(at_, brace)) {
      if (is_escape(text_, at_)) {
        add_text(made, text_.substr(at_ + 1, 1));
        at_ += 2;
      } else if (text_[at_] == '{' && braces_.closing(at_) != kNowhere) {
        made.push_back({{}, choices()});
      } else {
        add_text(made, text_.substr(at_++, 1));
      }
    }
    return made;
  }

  std::vector<Sequence> choices() {
    const std::size_t brace = at_, end = braces_.closing(brace);
    std::vector<Sequence> all;
    do {
      ++at_;  // the brace or the bar
      all.push_back(sequence(end, brace));
    } while (at_ < end);
    ++at_;
    return all;
  }

  std::string_view text_;
  Braces braces_;
  std::size_t at_ = 0;
};

std::vector<std::string> expand(const Sequence& sequence, std::size_t limit) {
  std::vector<std::string> all{""};
  for (const Piece& piece : sequence) {
    std::vector<std::string> endings;
    for (const Sequence& choice : piece.choices) {
      for (std::string& text : expand(choice, limit)) endings.push_back(std::move(text));
      if (endings.size() >= limit) break;
    }
    if (piece.choices.empty()) endings.push_back(piece.text);
    std::vector<std::string> longer;
    for (const std::string& begin : all) {
      if (longer.size() >= limit) break;
      for (const std::string& ending : endings) longer.push_back(begin + ending);
    }
    if (longer.size() > limit) longer.resize(limit);
    all = std::move(longer);
  }
  return all;
}

std::string choose(const Sequence& sequence, const std::function<std::size_t(std::size_t)>& draw) {
  std::string text;
  for (const Piece& piece : sequence)
    text += piece.choices.empty() ? piece.text : choose(piece.choices[draw(piece.choices.size())], draw);
  return text;
}

}  // namespace

std::vector<std::string> all_choices(std::string_view prompt, std::size_t limit) {
  return expand(Parser(prompt).parse(), limit);
}

std::string random_choice(std::string_view prompt, const std::function<std::size_t(std::size_t)>& draw) {
  return choose(Parser(prompt).parse(), draw);
}

}  // namespace waggle::cli::batch

// Misread UTF-8: see pipeline/text/mojibake.h.
//
// A misread character shows as an accented letter (its lead byte) and one to three characters of the upper
// half of the code page (its continuation bytes). Most such sequences are nothing that a writer types: a
// letter with a currency sign, a fraction or a control after it. A few are plausible ("CAFÉ’S", "NÃO»"), so
// each sequence is judged by what its continuation looks like, and plausible ones are converted only where
// the rest of the text was clearly misread.
#include "pipeline/text/mojibake.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/text/codepage.h"
#include "pipeline/text/unicode.h"

namespace waggle::pipeline {
namespace {

struct Sequence {
  std::size_t size = 0;  ///< characters of the misread text
  char32_t meant = 0;
};

// The misread character that begins at `at`, if the bytes behind the text are one well-formed UTF-8 sequence.
std::optional<Sequence> sequence_at(std::u32string_view text, std::size_t at) {
  const auto lead = codepage::misread_byte(text[at]);
  if (!lead || *lead < 0xC2 || *lead > 0xF4) return std::nullopt;
  const std::size_t size = *lead < 0xE0 ? 2 : *lead < 0xF0 ? 3 : 4;
  if (size > text.size() - at) return std::nullopt;
  std::string bytes;
  for (std::size_t i = at; i < at + size; ++i) {
    const auto byte = codepage::misread_byte(text[i]);
    if (!byte) return std::nullopt;
    bytes.push_back(static_cast<char>(*byte));
  }
  const std::u32string meant = unicode::from_utf8(bytes);
  if (meant.size() != 1 || (meant[0] == 0xFFFD && bytes != "\xEF\xBF\xBD")) return std::nullopt;
  return Sequence{size, meant[0]};
}

// What does follow a word in real text: closing punctuation, marks of trade and degree, spaces.
bool follows_words(char32_t c) {
  static constexpr std::u32string_view kAfterWords =
      U"\u2019\u201D\u201C\u2018\u2026\u2013\u2014\u00BB\u203A\u00AB\u2039\u2122\u00AE\u00A9\u00B0\u00B7"
      U"\u00A0\u00AD\u2022";
  return kAfterWords.find(c) != std::u32string_view::npos;
}

bool is_plausible(std::u32string_view sequence) {
  // These two begin nearly all misread Western text and hardly ever stand before a symbol otherwise.
  if (sequence[0] == U'\u00C2' || sequence[0] == U'\u00C3') return false;
  return std::ranges::all_of(sequence.substr(1), follows_words);
}

// A no-break space inside a misread sequence is often turned into a plain one afterwards: "voilÃ  !", "10Â
// %". After a small letter or at the very beginning a capital A with tilde or circumflex is no word of its
// own.
bool lost_its_space(std::u32string_view text, std::size_t at) {
  if ((text[at] != U'\u00C2' && text[at] != U'\u00C3') || at + 1 >= text.size() || text[at + 1] != U' ')
    return false;
  if (at == 0) return true;
  const auto is_small = [](char32_t c) { return c >= U'a' && c <= U'z'; };
  return is_small(text[at - 1]) || (at >= 2 && text[at - 1] == U' ' && is_small(text[at - 2]));
}

struct Findings {
  bool certain = false;    ///< some sequence is implausible as it stands
  bool consistent = true;  ///< everything beyond ASCII is part of a sequence
};

Findings look_over(std::u32string_view text) {
  Findings findings;
  for (std::size_t i = 0; i < text.size();) {
    const auto sequence = text[i] < 0x80 ? std::nullopt : sequence_at(text, i);
    if (sequence) {
      if (!is_plausible(text.substr(i, sequence->size))) findings.certain = true;
      i += sequence->size;
      continue;
    }
    if (lost_its_space(text, i)) {
      findings.certain = true;
    } else if (text[i] >= 0x80) {
      findings.consistent = false;
    }
    ++i;
  }
  return findings;
}

}  // namespace

std::u32string undo_mojibake(std::u32string_view text) {
  const Findings findings = look_over(text);
  if (!findings.certain) return std::u32string(text);
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto sequence = text[i] < 0x80 ? std::nullopt : sequence_at(text, i);
    if (sequence && (findings.consistent || !is_plausible(text.substr(i, sequence->size)))) {
      out.push_back(sequence->meant);
      i += sequence->size;
    } else if (lost_its_space(text, i)) {
      // "Ã " stood for an a with grave; a space after it was the writer's own when a word follows.
      out += text[i] == U'\u00C3' ? std::u32string_view(U"\u00E0 ") : std::u32string_view(U"\u00A0");
      i += 2;
    } else {
      out.push_back(text[i++]);
    }
  }
  return out;
}

}  // namespace waggle::pipeline

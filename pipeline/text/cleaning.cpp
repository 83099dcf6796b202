// The cleaning of prompts: see pipeline/text/cleaning.h.
#include "pipeline/text/cleaning.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "pipeline/text/codepage.h"
#include "pipeline/text/html_entities.h"
#include "pipeline/text/mojibake.h"
#include "pipeline/text/unicode.h"

namespace waggle::pipeline {
namespace {

// Repairs may uncover one another ("&amp;amp;amp;"); real text settles in two or three rounds.
constexpr int kMaxRounds = 16;

// Letters that exist only because some font or character set had them.
std::u32string_view taken_apart(char32_t c) {
  switch (c) {
    case 0x0132:
      return U"IJ";
    case 0x0133:
      return U"ij";
    case 0x0149:
      return U"\u02BCn";
    case 0x01F1:
      return U"DZ";
    case 0x01F2:
      return U"Dz";
    case 0x01F3:
      return U"dz";
    case 0x01C4:
      return U"D\u017D";
    case 0x01C5:
      return U"D\u017E";
    case 0x01C6:
      return U"d\u017E";
    case 0x01C7:
      return U"LJ";
    case 0x01C8:
      return U"Lj";
    case 0x01C9:
      return U"lj";
    case 0x01CA:
      return U"NJ";
    case 0x01CB:
      return U"Nj";
    case 0x01CC:
      return U"nj";
    case 0xFB00:
      return U"ff";
    case 0xFB01:
      return U"fi";
    case 0xFB02:
      return U"fl";
    case 0xFB03:
      return U"ffi";
    case 0xFB04:
      return U"ffl";
    case 0xFB05:
      return U"\u017Ft";
    case 0xFB06:
      return U"st";
    default:
      return {};
  }
}

bool is_dropped(char32_t c) {
  return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || (c >= 0x206A && c <= 0x206F) ||
         c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

// Half and full width forms of ordinary characters, and the full-width space.
bool has_odd_width(char32_t c) { return (c >= 0xFF01 && c <= 0xFFEF) || c == 0x3000; }

// The length of a terminal's colour or cursor command at `at` ("ESC [ 3 1 m"), or 0.
std::size_t terminal_command(std::u32string_view text, std::size_t at) {
  if (text[at] != 0x1B || at + 1 >= text.size() || text[at + 1] != U'[') return 0;
  std::size_t end = at + 2;
  while (end < text.size() && ((text[end] >= U'0' && text[end] <= U'9') || text[end] == U';')) ++end;
  const bool ends = end < text.size() && ((text[end] | 0x20) >= U'a' && (text[end] | 0x20) <= U'z');
  return ends ? end + 1 - at : 0;
}

void append_repaired(std::u32string& out, char32_t c) {
  if (c >= 0x80 && c <= 0x9F) c = codepage::from_windows_1252(static_cast<unsigned char>(c));
  if (has_odd_width(c)) {
    const char32_t wide[] = {c};
    out += unicode::nfkc({wide, 1});
  } else if (const auto parts = taken_apart(c); !parts.empty()) {
    out += parts;
  } else {
    out.push_back(c);
  }
}

// The characters that stand for themselves after all else: quotation marks, line ends, controls.
void straighten(std::u32string& text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (const std::size_t command = terminal_command(text, i)) {
      i += command - 1;
    } else if (c == 0x02BC || (c >= 0x2018 && c <= 0x201B)) {
      out.push_back(U'\'');
    } else if (c >= 0x201C && c <= 0x201F) {
      out.push_back(U'"');
    } else if (c == U'\r' || c == 0x85 || c == 0x2028 || c == 0x2029) {
      if (c == U'\r' && i + 1 < text.size() && text[i + 1] == U'\n') ++i;
      out.push_back(U'\n');
    } else if (!is_dropped(c)) {
      out.push_back(c);
    }
  }
  text = std::move(out);
}

std::u32string repair_once(std::u32string_view text, bool unescape) {
  std::u32string round = unescape ? html::unescape_strict(text) : std::u32string(text);
  round = undo_mojibake(round);
  std::u32string out;
  out.reserve(round.size());
  for (const char32_t c : round) append_repaired(out, c);
  straighten(out);
  return unicode::nfc(out);
}

}  // namespace

std::u32string repair_text(std::u32string_view text) {
  std::u32string out;
  bool unescape = true;
  // Line by line: a line that was misread says nothing of the next.
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t newline = text.find(U'\n', begin);
    const std::size_t end = newline == std::u32string_view::npos ? text.size() : newline + 1;
    std::u32string line(text.substr(begin, end - begin));
    if (line.find(U'<') != std::u32string::npos)
      unescape = false;  // it may be HTML, whose references are meant
    for (int round = 0; round < kMaxRounds; ++round) {
      std::u32string next = repair_once(line, unescape);
      const bool settled = next == line;
      line = std::move(next);
      if (settled) break;
    }
    out += line;
    begin = end;
  }
  return out;
}

std::u32string collapse_spaces(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (!unicode::is_space(c)) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != U' ') {
      out.push_back(U' ');
    }
  }
  if (!out.empty() && out.back() == U' ') out.pop_back();
  return out;
}

std::u32string clean_prompt(std::string_view utf8) {
  const std::u32string repaired = repair_text(unicode::from_utf8(utf8));
  return unicode::lower(collapse_spaces(html::unescape(html::unescape(repaired))));
}

}  // namespace waggle::pipeline

// HTML character references: see pipeline/text/html_entities.h.
#include "pipeline/text/html_entities.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/text/codepage.h"
#include "pipeline/text/unicode.h"

namespace waggle::pipeline::html {
namespace {

struct Entity {
  std::string_view name, text;
  bool bare = false;  ///< also without its semicolon
};

constexpr Entity kEntities[] = {
#include "pipeline/text/html_entities.inc"
};
constexpr std::size_t kLongestName = 32;
constexpr std::size_t kLongestStrictName = 24;

const Entity* find(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kEntities, name, {}, &Entity::name);
  return found != std::end(kEntities) && found->name == name ? found : nullptr;
}

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_hex(char32_t c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_alphanumeric(char32_t c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Numbers that HTML gives no character for: controls and noncharacters.
bool names_nothing(char32_t c) {
  return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || (c >= 0x7F && c <= 0x9F) ||
         (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

void append_number(std::u32string& out, char32_t c) {
  if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
    out.push_back(0xFFFD);
  } else if (c >= 0x80 && c <= 0x9F) {
    out.push_back(codepage::from_windows_1252(static_cast<unsigned char>(c)));  // what browsers show
  } else if (!names_nothing(c)) {
    out.push_back(c);
  }
}

// "&#123" or "&#x7B" at `at`: its digits' end and value (saturating), or nothing.
struct Number {
  std::size_t end;
  char32_t value;
};
std::optional<Number> number_at(std::u32string_view text, std::size_t at) {
  std::size_t i = at + 2;
  const bool hex = i < text.size() && (text[i] == 'x' || text[i] == 'X');
  if (hex) ++i;
  const std::size_t first = i;
  std::uint32_t value = 0;
  for (; i < text.size() && (hex ? is_hex(text[i]) : is_digit(text[i])); ++i) {
    const std::uint32_t digit = is_digit(text[i]) ? text[i] - '0' : (text[i] | 0x20) - 'a' + 10;
    value = std::min<std::uint32_t>(value * (hex ? 16 : 10) + digit, 0x110000);
  }
  if (i == first) return std::nullopt;
  return Number{i, value};
}

bool may_be_in_name(char32_t c) {
  return c != '\t' && c != '\n' && c != '\f' && c != ' ' && c != '<' && c != '&' && c != '#' && c != ';';
}

// Replaces the reference at `at` and returns its end, or returns `at`.
std::size_t replace_name(std::u32string& out, std::u32string_view text, std::size_t at) {
  std::string name;  // names are ASCII; anything else ends the part that can match
  std::size_t end = at + 1;
  while (end < text.size() && end - at <= kLongestName && may_be_in_name(text[end])) {
    unicode::append_utf8(name, text[end++]);
  }
  if (end < text.size() && text[end] == ';') {
    if (const Entity* entity = find(name)) {
      out += unicode::from_utf8(entity->text);
      return end + 1;
    }
  }
  // The longest old name that begins it. Those are ASCII, so bytes count as characters.
  for (std::size_t size = name.size(); size >= 2; --size) {
    const Entity* entity = find(std::string_view(name).substr(0, size));
    if (entity != nullptr && entity->bare) {
      out += unicode::from_utf8(entity->text);
      return at + 1 + size;
    }
  }
  return at;
}

std::size_t replace_number(std::u32string& out, std::u32string_view text, std::size_t at) {
  const auto number = number_at(text, at);
  if (!number) return at;
  append_number(out, number->value);
  return number->end < text.size() && text[number->end] == ';' ? number->end + 1 : number->end;
}

std::size_t replace_strict(std::u32string& out, std::u32string_view text, std::size_t at) {
  const bool numeric = text[at + 1] == '#';
  const std::size_t first = at + (numeric ? 2 : 1);
  std::size_t end = first;
  while (end < text.size() && end - first < kLongestStrictName && is_alphanumeric(text[end])) ++end;
  if (end == first || end == text.size() || text[end] != ';') return at;
  if (numeric) {
    const auto number = number_at(text, at);
    if (!number || number->end != end) return at;
    append_number(out, number->value);
    return end + 1;
  }
  std::string name(text.begin() + static_cast<std::ptrdiff_t>(first),
                   text.begin() + static_cast<std::ptrdiff_t>(end));
  if (const Entity* entity = find(name)) {
    out += unicode::from_utf8(entity->text);
    return end + 1;
  }
  const auto is_lower_case = [](char c) { return c >= 'a' && c <= 'z'; };
  if (std::ranges::any_of(name, is_lower_case)) return at;
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  const Entity* entity = find(name);
  if (entity == nullptr) return at;
  out += unicode::upper(unicode::from_utf8(entity->text));
  return end + 1;
}

template <class Replace>
std::u32string replace_each(std::u32string_view text, Replace replace) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = text[i] == '&' && i + 1 < text.size() ? replace(out, text, i) : i;
    if (end == i) out.push_back(text[i]);
    i = std::max(end, i + 1);
  }
  return out;
}

}  // namespace

std::u32string unescape(std::u32string_view text) {
  return replace_each(text, [](std::u32string& out, std::u32string_view all, std::size_t at) {
    return all[at + 1] == '#' ? replace_number(out, all, at) : replace_name(out, all, at);
  });
}

std::u32string unescape_strict(std::u32string_view text) { return replace_each(text, replace_strict); }

}  // namespace waggle::pipeline::html

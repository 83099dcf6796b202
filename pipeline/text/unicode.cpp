// Code points and their properties: see pipeline/text/unicode.h.
#include "pipeline/text/unicode.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <utf8proc.h>

namespace waggle::pipeline::unicode {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool is_scalar(char32_t c) { return c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF); }

utf8proc_category_t category(char32_t c) {
  return is_scalar(c) ? utf8proc_category(static_cast<utf8proc_int32_t>(c)) : UTF8PROC_CATEGORY_CN;
}

// Which second bytes a lead byte allows, and how many bytes follow (RFC 3629).
struct Lead {
  int following = 0;
  unsigned char second_low = 0x80, second_high = 0xBF;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {.following = 1};
  if (byte == 0xE0) return {.following = 2, .second_low = 0xA0};
  if (byte == 0xED) return {.following = 2, .second_high = 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {.following = 2};
  if (byte == 0xF0) return {.following = 3, .second_low = 0x90};
  if (byte >= 0xF1 && byte <= 0xF3) return {.following = 3};
  if (byte == 0xF4) return {.following = 3, .second_high = 0x8F};
  return {};
}

bool is_cased(char32_t c) {
  switch (category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
      return true;
    default:
      // Other_Lowercase and Other_Uppercase outside the letters: ordinals, Roman numerals, circled letters.
      return c == 0xAA || c == 0xBA || (c >= 0x2160 && c <= 0x217F) || (c >= 0x24B6 && c <= 0x24E9) ||
             (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
             (c >= 0x1F170 && c <= 0x1F189);
  }
}

// What the rule of the final sigma looks through: marks, formats, modifiers, and punctuation found inside
// words.
bool is_case_ignorable(char32_t c) {
  switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      break;
  }
  static constexpr std::u32string_view kInsideWords =
      U"'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";
  return kInsideWords.find(c) != std::u32string_view::npos;
}

std::u32string normalized(std::u32string_view text, int options) {
  const std::string bytes = to_utf8(text);
  const auto* in = reinterpret_cast<const utf8proc_uint8_t*>(bytes.data());
  const auto in_size = static_cast<utf8proc_ssize_t>(bytes.size());
  const auto flags = static_cast<utf8proc_option_t>(options | UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const utf8proc_ssize_t room = utf8proc_decompose(in, in_size, nullptr, 0, flags);
  if (room < 0) throw std::runtime_error(utf8proc_errmsg(room));
  std::vector<utf8proc_int32_t> points(static_cast<std::size_t>(room));
  utf8proc_ssize_t size = utf8proc_decompose(in, in_size, points.data(), room, flags);
  if (size >= 0) size = utf8proc_normalize_utf32(points.data(), size, flags);
  if (size < 0) throw std::runtime_error(utf8proc_errmsg(size));
  return {points.begin(), points.begin() + size};
}

}  // namespace

std::u32string from_utf8(std::string_view bytes) {
  std::u32string out;
  out.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const auto first = static_cast<unsigned char>(bytes[i++]);
    if (first < 0x80) {
      out.push_back(first);
      continue;
    }
    const Lead lead = lead_of(first);
    char32_t c = first & (0x3Fu >> lead.following);
    int got = 0;
    for (; got < lead.following && i < bytes.size(); ++got, ++i) {
      const auto next = static_cast<unsigned char>(bytes[i]);
      const bool fits =
          got == 0 ? next >= lead.second_low && next <= lead.second_high : (next & 0xC0) == 0x80;
      if (!fits) break;
      c = c << 6 | (next & 0x3Fu);
    }
    out.push_back(lead.following > 0 && got == lead.following ? c : kReplacement);
  }
  return out;
}

void append_utf8(std::string& out, char32_t c) {
  if (!is_scalar(c)) c = kReplacement;
  const auto put = [&out](char32_t byte) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
  };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) append_utf8(out, c);
  return out;
}

bool is_letter(char32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

bool is_number(char32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO;
}

bool is_space(char32_t c) {
  if ((c >= 0x09 && c <= 0x0D) || c == 0x85) return true;
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_ZS && k <= UTF8PROC_CATEGORY_ZP;
}

std::u32string lower(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  bool after_cased = false;  // a cased letter precedes, with at most ignorable code points between
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == 0x130) {  // capital I with dot: the only code point whose full lower case is two
      out += U"i\u0307";
    } else if (c == 0x3A3 && after_cased) {
      std::size_t next = i + 1;
      while (next < text.size() && is_case_ignorable(text[next])) ++next;
      out.push_back(next < text.size() && is_cased(text[next]) ? U'\u03C3' : U'\u03C2');
    } else {
      out.push_back(is_scalar(c) ? static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)))
                                 : c);
    }
    if (!is_case_ignorable(c)) after_cased = is_cased(c);
  }
  return out;
}

std::u32string upper(std::u32string_view text) {
  std::u32string out;
  for (const char32_t c : text) {
    if (c == 0xDF) {
      out += U"SS";
    } else {
      out.push_back(is_scalar(c) ? static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)))
                                 : c);
    }
  }
  return out;
}

std::u32string nfc(std::u32string_view text) { return normalized(text, 0); }

std::u32string nfkc(std::u32string_view text) { return normalized(text, UTF8PROC_COMPAT); }

}  // namespace waggle::pipeline::unicode

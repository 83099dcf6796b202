// Code points: in from UTF-8, out to UTF-8, and the few properties that the tokenizer asks for. utf8proc is
// seen here alone. No locale is ever consulted.
#pragma once

#include <string>
#include <string_view>

namespace waggle::pipeline::unicode {

/// Any bytes. Each maximal part that is not UTF-8 becomes one U+FFFD, as Python's errors="replace" does it.
std::u32string from_utf8(std::string_view bytes);

/// Code points that UTF-8 cannot carry (surrogates, beyond U+10FFFF) become U+FFFD.
std::string to_utf8(std::u32string_view text);
void append_utf8(std::string& out, char32_t code_point);

bool is_letter(char32_t c);  ///< general category L*
bool is_number(char32_t c);  ///< general category N*
bool is_space(char32_t c);   ///< the White_Space property

/// Full lower-casing as Python's str.lower: one code point may become two, and a capital sigma at the end of
/// a word becomes the final one.
std::u32string lower(std::u32string_view text);

/// Upper case code point by code point, but for the sharp s, which becomes "SS".
std::u32string upper(std::u32string_view text);

std::u32string nfc(std::u32string_view text);   ///< canonical composition
std::u32string nfkc(std::u32string_view text);  ///< compatibility composition

}  // namespace waggle::pipeline::unicode

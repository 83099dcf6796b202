// Code points: decoding as Python's errors="replace" does it, lower case as its str.lower.
#include "pipeline/text/unicode.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

namespace unicode = waggle::pipeline::unicode;

TEST_CASE("unicode: UTF-8 of one to four bytes comes back as it went in") {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\x80";
  CHECK(unicode::from_utf8(text) == U"a\u00E9\u20AC\U0001F680");
  CHECK(unicode::to_utf8(unicode::from_utf8(text)) == text);
}

TEST_CASE("unicode: each maximal broken part becomes one replacement character") {
  CHECK(unicode::from_utf8("\x80z") == U"\uFFFDz");
  CHECK(unicode::from_utf8("\xC0\xAFz") == U"\uFFFD\uFFFDz");                    // overlong
  CHECK(unicode::from_utf8("\xED\xA0\x80") == U"\uFFFD\uFFFD\uFFFD");            // a surrogate
  CHECK(unicode::from_utf8("\xF4\x90\x80\x80") == U"\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
  CHECK(unicode::from_utf8("\xE2\x82z") == U"\uFFFDz");                          // cut short, then a letter
  CHECK(unicode::from_utf8("\xF0\x9F\x9A") == U"\uFFFD");                        // cut short by the end
  CHECK(unicode::from_utf8("\xF5\xFF") == U"\uFFFD\uFFFD");
}

TEST_CASE("unicode: what UTF-8 cannot carry is written as the replacement character") {
  CHECK(unicode::to_utf8(std::u32string{0xD800, 0x110000}) == "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("unicode: lower case is that of Python") {
  CHECK(unicode::lower(U"ÄÖÜ ẞ Я Ω") == U"äöü ß я ω");
  CHECK(unicode::lower(U"İI") == U"i\u0307i");
  CHECK(unicode::lower(U"Ⅷ Ⓐ") == U"ⅷ ⓐ");
}

TEST_CASE("unicode: a capital sigma is final at the end of a word only") {
  CHECK(unicode::lower(U"ΣΟΦΟΣ") == U"σοφος");
  CHECK(unicode::lower(U"ΣΟΦΟΣ.") == U"σοφος.");
  CHECK(unicode::lower(U"Σ") == U"σ");
  CHECK(unicode::lower(U"ΑΣ'Α") == U"ασ'α");            // an apostrophe is looked through
  CHECK(unicode::lower(U"ΑΣ\u0301Α") == U"ασ\u0301α");  // and so is an accent
  CHECK(unicode::lower(U"1Σ Α") == U"1σ α");
}

TEST_CASE("unicode: letters, numbers and spaces are those of the general categories") {
  CHECK(unicode::is_letter(U'ª'));
  CHECK(unicode::is_letter(U'ʰ'));
  CHECK(unicode::is_letter(U'猫'));
  CHECK_FALSE(unicode::is_letter(U'\u0301'));
  CHECK(unicode::is_number(U'½'));
  CHECK(unicode::is_number(U'Ⅷ'));
  CHECK(unicode::is_number(U'१'));
  CHECK_FALSE(unicode::is_number(U'a'));
  CHECK(unicode::is_space(U'\u00A0'));
  CHECK(unicode::is_space(U'\u2028'));
  CHECK(unicode::is_space(U'\u3000'));
  CHECK_FALSE(unicode::is_space(U'\u200B'));
  CHECK_FALSE(unicode::is_space(0x110000));
}

TEST_CASE("unicode: accents are composed, and only compatibility composition narrows wide forms") {
  CHECK(unicode::nfc(U"e\u0301Ａ") == U"éＡ");
  CHECK(unicode::nfkc(U"e\u0301Ａ") == U"éA");
  CHECK(unicode::nfc(std::u32string(U"a\0b", 3)) == std::u32string(U"a\0b", 3));
  CHECK(unicode::nfc(U"").empty());
}

TEST_CASE("unicode: random bytes always become UTF-8") {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string once = unicode::to_utf8(unicode::from_utf8(bytes));
    REQUIRE(unicode::to_utf8(unicode::from_utf8(once)) == once);
    (void)unicode::nfc(unicode::from_utf8(bytes));
    (void)unicode::lower(unicode::from_utf8(bytes));
  }
}

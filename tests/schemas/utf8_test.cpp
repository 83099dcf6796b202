// The borders of RFC 3629.
#include <catch2/catch.hpp>

#include "schemas/validate.h"

namespace waggle {

TEST_CASE("utf8: text of every length of character is valid") {
  for (const char* good :
       {"", "abc\n\t", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "Bienen 蜂 🐝"}) {
    INFO(good);
    CHECK(is_valid_utf8(good));
  }
}

TEST_CASE("utf8: overlong forms, surrogates, code points beyond the last and stray bytes are not") {
  for (const char* bad : {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
                          "a\xc3", "\xe2\x82", "\xf0\x9f\x90", "\xc3(", "\xe2(\xa1", "\xe2\x82("}) {
    CHECK_FALSE(is_valid_utf8(bad));
  }
  CHECK_FALSE(is_valid_utf8(std::string_view("a\0b", 3)));
}

}  // namespace waggle

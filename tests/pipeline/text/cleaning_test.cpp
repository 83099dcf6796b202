// The cleaning of prompts, by the rules that ftfy 6 and OpenAI's tokenizer document.
#include "pipeline/text/cleaning.h"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "pipeline/text/unicode.h"

using waggle::pipeline::clean_prompt;
namespace unicode = waggle::pipeline::unicode;

namespace {
std::string clean(std::string_view text) { return unicode::to_utf8(clean_prompt(text)); }
}  // namespace

TEST_CASE("cleaning: lower case, one space, none at the ends") {
  CHECK(clean("  A Photo\tOF \r\n a\xC2\xA0 CAT ") == "a photo of a cat");
  CHECK(clean("") == "");
  CHECK(clean(" \n\t ") == "");
}

TEST_CASE("cleaning: curly quotes and odd apostrophes are straightened, dashes stay") {
  CHECK(clean("“don’t” ‘x’ ʼ — …") == "\"don't\" 'x' ' — …");
}

TEST_CASE("cleaning: ligatures and digraphs are taken apart") {
  CHECK(clean("ﬁne ﬂower ǅ Ĳ ŉ") == "fine flower dž ij 'n");
}

TEST_CASE("cleaning: wide and narrow forms become ordinary ones") {
  CHECK(clean("ＡＢＣ\u3000１２３ ｶﾞ ￡") == "abc 123 ガ £");
}

TEST_CASE("cleaning: control characters, terminal colours and byte-order marks go, zero-width ones stay") {
  CHECK(clean(std::string_view("\0null \x07"
                               "bell \x1B[31;1mred\x1B[0m",
                               26)) == "null bell red");
  CHECK(clean("\uFEFFa\u200Bb\u200Dc") == "a\u200Bb\u200Dc");
}

TEST_CASE("cleaning: references are undone however often they were escaped") {
  CHECK(clean("&amp;amp;amp;lt; &#39;") == "< '");
  CHECK(clean("&quot;a&nbsp;b&quot;") == "\"a b\"");
}

TEST_CASE("cleaning: with a tag in it references are text first, so quotes from them stay curly") {
  CHECK(clean("<b> &ldquo;x&rdquo; &amp;amp;amp;") == "<b> “x” &amp;");
  CHECK(clean("&ldquo;x&rdquo;") == "\"x\"");
}

TEST_CASE("cleaning: accents are composed") { CHECK(clean("cafe\u0301") == "café"); }

TEST_CASE("cleaning: text that was misread twice comes back") { CHECK(clean("schÃƒÂ¶n") == "schön"); }

TEST_CASE("cleaning: lines are judged one by one") { CHECK(clean("cafÃ©\nBrontë…”") == "café brontë…\""); }

TEST_CASE("cleaning: invalid UTF-8 becomes replacement characters") {
  CHECK(clean("a\xFF\xC3") == "a\uFFFD\uFFFD");
}

TEST_CASE("cleaning: a long hostile text takes passes, not powers") {
  std::string nested = "&";
  for (int i = 0; i < 16 * 1024 / 4; ++i) nested += "amp;";
  CHECK_FALSE(clean(nested).empty());
  CHECK(clean(std::string(1 << 20, '&')).size() == 1 << 20);
}

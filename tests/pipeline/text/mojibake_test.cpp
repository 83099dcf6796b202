// Misread UTF-8: what is undone and, more important, what is left alone.
#include "pipeline/text/mojibake.h"

#include <string>

#include <catch2/catch.hpp>

#include "pipeline/text/codepage.h"
#include "pipeline/text/unicode.h"

using waggle::pipeline::undo_mojibake;
namespace codepage = waggle::pipeline::codepage;
namespace unicode = waggle::pipeline::unicode;

namespace {

std::u32string misread_as_windows_1252(std::u32string_view text) {
  std::u32string out;
  for (const char byte : unicode::to_utf8(text)) {
    out.push_back(codepage::from_windows_1252(static_cast<unsigned char>(byte)));
  }
  return out;
}

std::u32string misread_as_latin_1(std::u32string_view text) {
  std::u32string out;
  for (const char byte : unicode::to_utf8(text)) out.push_back(static_cast<unsigned char>(byte));
  return out;
}

}  // namespace

TEST_CASE("mojibake: text that was misread comes back") {
  for (const std::u32string text :
       {U"schön, café, naïve", U"don’t “quote” me — ever…", U"Красная площадь", U"猫が座っている",
        U"100 € ½ ©", U"🚀 to the moon", U"Ελλάδα", U"señor Ñandú"}) {
    CAPTURE(unicode::to_utf8(text));
    CHECK(undo_mojibake(misread_as_windows_1252(text)) == text);
    CHECK(undo_mojibake(misread_as_latin_1(text)) == text);
  }
}

TEST_CASE("mojibake: one call undoes one level") {
  const std::u32string once = misread_as_windows_1252(U"schön");
  CHECK(undo_mojibake(misread_as_windows_1252(once)) == once);
}

TEST_CASE("mojibake: text that a writer meant is left alone") {
  for (const std::u32string text :
       {U"plain", U"schön, café", U"not such a fan of Charlotte Brontë…”", U"CAFÉ’S best", U"«L’ÉTÉ»",
        U"NÜRNBERG™ É…", U"AHÅ™, the new sofa from IKEA®", U"Ă and ă", U"İstanbul’da", U"naïve—very",
        U"x² + y²", U"Ø 35 mm, 5 µm"}) {
    CAPTURE(unicode::to_utf8(text));
    CHECK(undo_mojibake(text) == text);
  }
}

TEST_CASE("mojibake: a clear case inside good text is undone alone") {
  CHECK(undo_mojibake(U"猫 and cafÃ©") == U"猫 and café");
}

TEST_CASE("mojibake: a no-break space that became a plain one is put back") {
  CHECK(undo_mojibake(U"voilÃ  le travail") == U"voilà  le travail");
  CHECK(undo_mojibake(U"10 kmÂ away") == U"10 km\u00A0away");
}

TEST_CASE("codepage: every byte above ASCII comes back from both readings") {
  for (unsigned byte = 0x80; byte <= 0xFF; ++byte) {
    const auto b = static_cast<unsigned char>(byte);
    CHECK(codepage::misread_byte(codepage::from_windows_1252(b)) == b);
    CHECK(codepage::misread_byte(byte) == b);
  }
  CHECK_FALSE(codepage::misread_byte(U'猫').has_value());
}

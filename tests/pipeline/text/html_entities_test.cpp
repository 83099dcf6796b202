// Character references, both ways of reading them. Expected values are those of Python's html.unescape.
#include "pipeline/text/html_entities.h"

#include <catch2/catch.hpp>

namespace html = waggle::pipeline::html;

TEST_CASE("html: named references become their characters") {
  CHECK(html::unescape(U"&lt;b&gt; &amp; &quot;x&quot;") == U"<b> & \"x\"");
  CHECK(html::unescape(U"&eacute;&Eacute;&rarr;&CounterClockwiseContourIntegral;") == U"éÉ→∳");
  CHECK(html::unescape(U"&NotEqualTilde;") == U"\u2242\u0338");
}

TEST_CASE("html: one call undoes one level") { CHECK(html::unescape(U"&amp;amp;") == U"&amp;"); }

TEST_CASE("html: the oldest names need no semicolon, the others do") {
  CHECK(html::unescape(U"AT&ampT &copy2024") == U"AT&T ©2024");
  CHECK(html::unescape(U"&notit; &notin;") == U"¬it; ∉");
  CHECK(html::unescape(U"&rarr &hearts") == U"&rarr &hearts");
}

TEST_CASE("html: numbers, decimal and hexadecimal, with and without a semicolon") {
  CHECK(html::unescape(U"&#39;&#x27;&#X27;&#39 &#x1F680;") == U"'''' 🚀");
  CHECK(html::unescape(U"&#;&#x;&#xg;") == U"&#;&#x;&#xg;");
}

TEST_CASE("html: numbers that name no character") {
  CHECK(html::unescape(U"&#0;&#xD800;&#x110000;&#99999999999999999999;") == U"\uFFFD\uFFFD\uFFFD\uFFFD");
  CHECK(html::unescape(U"a&#1;b&#x7F;c&#xFFFE;d") == U"abcd");
  CHECK(html::unescape(U"&#128;&#x99;") == U"€™");
}

TEST_CASE("html: what is no reference stays") {
  CHECK(html::unescape(U"a & b, &; &unknown; &") == U"a & b, &; &unknown; &");
  CHECK(html::unescape(U"&&&amp;") == U"&&&");
}

TEST_CASE("html: strict reading wants the semicolon, and takes names in capitals") {
  CHECK(html::unescape_strict(U"AT&ampT &amp;") == U"AT&ampT &");
  CHECK(html::unescape_strict(U"&EACUTE;&eacute;&SZLIG;") == U"ÉéSS");
  CHECK(html::unescape_strict(U"&#39;&#x27;&#39 &#;") == U"''&#39 &#;");
  CHECK(html::unescape_strict(U"&eAcute;") == U"&eAcute;");
}

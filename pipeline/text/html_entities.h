// HTML character references ("&amp;", "&#39;", "&#x2014;") to text, by the rules of HTML5 that browsers
// follow. Tags are left alone.
#pragma once

#include <string>
#include <string_view>

namespace waggle::pipeline::html {

/// Every reference once, from left to right: "&amp;lt;" becomes "&lt;". Takes the old names without a
/// semicolon too
/// ("&ampx" is "&x"), and gives U+FFFD or nothing for numbers that name no character.
std::u32string unescape(std::u32string_view text);

/// Only references that end in a semicolon and name a character; takes names in capitals as well
/// ("&EACUTE;"). What text repair wants: "AT&T" and "&copy cat" stay.
std::u32string unescape_strict(std::u32string_view text);

}  // namespace waggle::pipeline::html

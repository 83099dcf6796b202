// What happens to a prompt before it is cut into words: the repairs of ftfy 6 that OpenAI's CLIP tokenizer
// applies, HTML references, white space, lower case. Mojibake is repaired for Latin-1 and Windows-1252 only.
#pragma once

#include <string>
#include <string_view>

namespace waggle::pipeline {

/// Curly quotes straight, ligatures apart, full width to normal, control characters and terminal colours out,
/// composed characters (NFC), misread UTF-8 undone. Bounded: a fixed number of passes, each linear.
std::u32string repair_text(std::u32string_view text);

/// White space runs to one space, none at the ends.
std::u32string collapse_spaces(std::u32string_view text);

/// repair_text, HTML references twice, collapse_spaces, lower case: the text that CLIP's pattern sees.
std::u32string clean_prompt(std::string_view utf8);

}  // namespace waggle::pipeline

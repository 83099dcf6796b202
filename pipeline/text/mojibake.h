// Undoes UTF-8 that was misread as Latin-1 or Windows-1252 ("schÃ¶n", "donâ€™t"), and only what no writer
// would have meant. Other encodings (Cyrillic, Greek, Mac, DOS code pages) are left as they are.
#pragma once

#include <string>
#include <string_view>

namespace waggle::pipeline {

/// One level of misreading undone; text that was misread twice wants a second call. Text without signs of it
/// comes back unchanged: "Brontë…”" is a name, an ellipsis and a quotation mark, though its last three bytes
/// would be UTF-8.
std::u32string undo_mojibake(std::u32string_view text);

}  // namespace waggle::pipeline

// Windows-1252 and Latin-1, the two one-byte encodings that UTF-8 text is most often misread in.
#pragma once

#include <cstdint>
#include <optional>

namespace waggle::pipeline::codepage {

/// The character of a byte in Windows-1252; its five unassigned bytes give the control of the same number.
char32_t from_windows_1252(std::uint8_t byte) noexcept;

/// The byte that was misread as this character, by Latin-1 or by Windows-1252; nothing when neither has it.
std::optional<std::uint8_t> misread_byte(char32_t c) noexcept;

}  // namespace waggle::pipeline::codepage

// Windows-1252 and Latin-1: see pipeline/text/codepage.h.
#include "pipeline/text/codepage.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace waggle::pipeline::codepage {
namespace {

// Bytes 0x80..0x9F, the only ones in which Windows-1252 is not Latin-1.
constexpr std::array<char16_t, 32> kUpperControls = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

}  // namespace

char32_t from_windows_1252(std::uint8_t byte) noexcept {
  return byte >= 0x80 && byte <= 0x9F ? char32_t{kUpperControls[byte - 0x80u]} : char32_t{byte};
}

std::optional<std::uint8_t> misread_byte(char32_t c) noexcept {
  if (c <= 0xFF) return static_cast<std::uint8_t>(c);
  const auto* found = std::ranges::find(kUpperControls, c, [](char16_t u) { return char32_t{u}; });
  if (found == kUpperControls.end()) return std::nullopt;
  return static_cast<std::uint8_t>(0x80 + (found - kUpperControls.begin()));
}

}  // namespace waggle::pipeline::codepage

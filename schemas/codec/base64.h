// Base64 (RFC 4648, the standard alphabet) for pictures in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waggle::codec {

std::string base64_encode(std::string_view bytes);

/// With or without padding; line breaks and blanks are skipped. Nothing when the text is not base64.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace waggle::codec

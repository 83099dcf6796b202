// The shapes of ids. Everything that arrives from outside is asked here before it becomes part of a topic or
// a key.
#include "schemas/ids.h"

#include <algorithm>
#include <cstddef>

#include "schemas/limits.h"

namespace waggle {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_lower_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f'); }

bool is_token(std::string_view text) noexcept {
  const auto allowed = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= limits::kMaxIdBytes && std::ranges::all_of(text, allowed);
}

// A decimal number of 64 bits without sign or needless leading zeros, as Redis writes it.
bool is_decimal_u64(std::string_view text) noexcept {
  constexpr std::string_view kLargest = "18446744073709551615";
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return false;
  if (text.size() > 1 && text.front() == '0') return false;
  return text.size() < kLargest.size() || (text.size() == kLargest.size() && text <= kLargest);
}

}  // namespace

bool is_valid_job_id(std::string_view text) noexcept {
  // xxxxxxxx-xxxx-7xxx-[89ab]xxx-xxxxxxxxxxxx (RFC 9562, version 7)
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_lower_hex(text[i])) return false;
  }
  const char variant = text[19];
  return text[14] == '7' && (variant == '8' || variant == '9' || variant == 'a' || variant == 'b');
}

bool is_valid_worker_id(std::string_view text) noexcept { return is_token(text); }

bool is_valid_request_id(std::string_view text) noexcept { return is_token(text); }

bool is_valid_blob_id(std::string_view text) noexcept {
  constexpr std::string_view kPrefix = "sha256:";
  return text.starts_with(kPrefix) && text.size() == kPrefix.size() + 64 &&
         std::ranges::all_of(text.substr(kPrefix.size()), is_lower_hex);
}

bool is_valid_event_id(std::string_view text) noexcept {
  const std::size_t dash = text.find('-');
  return dash != std::string_view::npos && is_decimal_u64(text.substr(0, dash)) &&
         is_decimal_u64(text.substr(dash + 1));
}

}  // namespace waggle

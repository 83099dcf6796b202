// EXIF: see pipeline/image/exif.h.
#include "pipeline/image/exif.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/text/unicode.h"
#include "schemas/validate.h"

namespace waggle::pipeline::exif {
namespace {

using namespace std::string_view_literals;

constexpr std::uint16_t kDescription = 0x010E, kModel = 0x0110, kOrientation = 0x0112,
                        kExifDirectory = 0x8769, kUserComment = 0x9286;
constexpr std::uint16_t kAsciiText = 2, kShort = 3, kLong = 4, kUndefined = 7;
constexpr std::size_t kLongestKey = 16;      // of what comes before a colon
constexpr std::size_t kMaxSegment = 65'000;  // a JPEG segment's 65533 bytes, less all headers
constexpr std::string_view kPrefix = "Exif\0\0"sv;
constexpr std::string_view kUnicode = "UNICODE\0"sv, kAscii = "ASCII\0\0\0"sv;

// Reads numbers in the byte order that the structure declares; nothing beyond its end.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes) : bytes_(bytes), big_endian_(bytes.starts_with("MM"sv)) {}

  struct Entry {
    std::uint16_t tag, type;
    std::uint32_t count;
    std::size_t value_at;  ///< where the four bytes of value or offset are
  };

  [[nodiscard]] bool good() const {
    return (big_endian_ || bytes_.starts_with("II"sv)) && u16(2).value_or(0) == 42;
  }
  [[nodiscard]] bool big_endian() const { return big_endian_; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

  [[nodiscard]] std::optional<std::uint16_t> u16(std::size_t at) const {
    const auto value = number(at, 2);
    return value ? std::optional(static_cast<std::uint16_t>(*value)) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint32_t> u32(std::size_t at) const { return number(at, 4); }

  // The entry of a tag in the directory at `at`, which ends where the bytes end, whatever it claims.
  [[nodiscard]] std::optional<Entry> find(std::size_t at, std::uint16_t tag) const {
    const std::size_t entries = u16(at).value_or(0);
    for (std::size_t i = 0; i < entries; ++i) {
      const std::size_t entry = at + 2 + 12 * i;
      const auto found = u16(entry);
      if (!found) break;
      if (*found != tag || !u32(entry + 8)) continue;
      return Entry{tag, *u16(entry + 2), *u32(entry + 4), entry + 8};
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<std::uint32_t> number(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t from = big_endian_ ? i : size - 1 - i;
      value = value << 8 | static_cast<unsigned char>(bytes_[at + from]);
    }
    return value;
  }

  std::string_view bytes_;
  bool big_endian_;
};

void put16(std::string& out, std::uint32_t value) {
  out.push_back(static_cast<char>(value >> 8 & 0xFF));
  out.push_back(static_cast<char>(value & 0xFF));
}
void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xFFFF);
}

std::string to_utf16_big_endian(std::string_view utf8) {
  std::string out;
  for (const char32_t c : unicode::from_utf8(utf8)) {
    if (c >= 0x10000) {
      put16(out, 0xD800 + ((c - 0x10000) >> 10));
      put16(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
      put16(out, c);
    }
  }
  return out;
}

std::string from_utf16(std::string_view bytes, bool big_endian) {
  std::u32string text;
  const auto unit = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(bytes[i]),
               second = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<char32_t>(big_endian ? first << 8 | second : second << 8 | first);
  };
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    char32_t c = unit(i);
    const bool high = c >= 0xD800 && c <= 0xDBFF && i + 3 < bytes.size();
    if (high && unit(i + 2) >= 0xDC00 && unit(i + 2) <= 0xDFFF) {
      c = 0x10000 + ((c - 0xD800) << 10) + (unit(i + 2) - 0xDC00);
      i += 2;
    }
    text.push_back(c);
  }
  return unicode::to_utf8(text);
}

// The standard leaves the byte order of UNICODE comments open and writers differ. Where most high bytes are
// zero, as in any text with Latin letters, their place tells; else it is the order that most programs write.
bool looks_big_endian(std::string_view utf16) {
  std::size_t zero_first = 0, zero_second = 0;
  for (std::size_t i = 0; i + 1 < utf16.size(); i += 2) {
    zero_first += utf16[i] == '\0';
    zero_second += utf16[i + 1] == '\0';
  }
  return zero_first >= zero_second;
}

}  // namespace

std::string with_user_comment(std::string_view utf8) {
  std::string comment = std::string(kUnicode) + to_utf16_big_endian(utf8);
  if (comment.size() > kMaxSegment) {
    const bool ascii = std::ranges::all_of(utf8, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    comment = std::string(kAscii) + std::string(utf8);
    if (!ascii || comment.size() > kMaxSegment) return {};
  }
  std::string out("MM\0\x2A\0\0\0\x08"sv);  // big-endian TIFF, first directory at 8
  put16(out, 1);
  put16(out, kExifDirectory), put16(out, kLong), put32(out, 1), put32(out, 26);
  put32(out, 0);  // no further directory; the EXIF one begins here, at 26
  put16(out, 1);
  put16(out, kUserComment), put16(out, kUndefined);
  put32(out, static_cast<std::uint32_t>(comment.size())), put32(out, 44);
  put32(out, 0);
  return out + comment;
}

std::optional<std::string> user_comment(std::string_view bytes) {
  const Tiff tiff(bytes);
  if (!tiff.good()) return std::nullopt;
  const auto directory = tiff.find(tiff.u32(4).value_or(0), kExifDirectory);
  if (!directory) return std::nullopt;
  const auto entry = tiff.find(*tiff.u32(directory->value_at), kUserComment);
  if (!entry || entry->count <= kUnicode.size()) return std::nullopt;
  const std::size_t at = *tiff.u32(entry->value_at);
  if (at > bytes.size() || entry->count > bytes.size() - at) return std::nullopt;
  const std::string_view code = bytes.substr(at, kUnicode.size());
  std::string_view text = bytes.substr(at + code.size(), entry->count - code.size());
  // Some programs write UTF-8 under this code too. UTF-16 of a text with settings has digits, and so zeros.
  const bool utf16 = code == kUnicode && (text.size() % 2 == 0 && text.find('\0') != std::string_view::npos);
  if (utf16 || (code == kUnicode && !is_valid_utf8(text))) return from_utf16(text, looks_big_endian(text));
  while (text.ends_with('\0')) text.remove_suffix(1);
  return unicode::to_utf8(unicode::from_utf8(text));
}

std::vector<std::pair<std::string, std::string>> keyed_texts(std::string_view bytes) {
  std::vector<std::pair<std::string, std::string>> found;
  const Tiff tiff(bytes);
  if (!tiff.good()) return found;
  for (std::uint16_t tag = kModel; tag >= kDescription; --tag) {
    const auto entry = tiff.find(tiff.u32(4).value_or(0), tag);
    if (!entry || entry->type != kAsciiText || entry->count <= 4) continue;
    const std::size_t at = *tiff.u32(entry->value_at);
    if (at > bytes.size() || entry->count > bytes.size() - at) continue;
    std::string_view text = bytes.substr(at, entry->count);
    while (text.ends_with('\0')) text.remove_suffix(1);
    const std::size_t colon = text.find(':');
    std::string key(text.substr(0, std::min(colon, kLongestKey)));
    for (char& c : key) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (key != "prompt" && key != "workflow") continue;
    found.emplace_back(std::move(key), unicode::to_utf8(unicode::from_utf8(text.substr(colon + 1))));
  }
  return found;
}

int orientation(std::string_view bytes) {
  const Tiff tiff(bytes);
  if (!tiff.good()) return 1;
  const auto entry = tiff.find(tiff.u32(4).value_or(0), kOrientation);
  if (!entry || entry->type != kShort) return 1;
  const int value = tiff.u16(entry->value_at).value_or(1);
  return value >= 1 && value <= 8 ? value : 1;
}

std::string_view without_prefix(std::string_view bytes) {
  return bytes.starts_with(kPrefix) ? bytes.substr(kPrefix.size()) : bytes;
}

}  // namespace waggle::pipeline::exif

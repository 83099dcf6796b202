// Three containers, one reader over the bytes that cannot leave them.
#include "schemas/picture_header.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

namespace waggle {
namespace {

using namespace std::string_view_literals;

/// A place in the bytes. A read past the end gives nothing and stays there.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::size_t left() const { return bytes_.size() - at_; }
  std::size_t size() const { return bytes_.size(); }

  std::optional<std::string_view> take(std::size_t count) {
    if (count > left()) return std::nullopt;
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

  std::optional<std::uint8_t> byte() {
    const auto one = take(1);
    if (!one) return std::nullopt;
    return static_cast<std::uint8_t>(one->front());
  }

  /// Goes to the next 0xFF; false when there is none.
  bool skip_to_marker() {
    const std::size_t found = bytes_.find('\xff', at_);
    if (found == bytes_.npos) return false;
    at_ = found;
    return true;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

Error not_good(std::string why) { return Error{ErrorCode::unsupported_media, std::move(why)}; }

Error cut_off(std::string_view format, const Reader& reader) {
  return not_good("is a " + std::string(format) + " that is cut off after " + std::to_string(reader.size()) +
                  " bytes");
}

Error broken(std::string_view format, std::string_view why) {
  return not_good("is a " + std::string(format) + " that " + std::string(why));
}

Result<PictureHeader> sized(OutputFormat format, std::string_view name, std::int64_t width,
                            std::int64_t height) {
  if (width < 1 || height < 1) return broken(name, "has no pixels");
  return PictureHeader{format, width, height};
}

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n"sv;

Result<PictureHeader> read_png(Reader reader) {
  reader.take(kPngSignature.size());
  std::optional<PictureHeader> header;
  for (;;) {
    const auto start = reader.take(8);
    if (!start) return cut_off("PNG", reader);
    const std::uint32_t length = big_endian(start->substr(0, 4));
    const std::string_view kind = start->substr(4);
    if (length > 0x7fff'ffffu) return broken("PNG", "has a chunk of impossible length");
    const auto data = reader.take(std::size_t{length} + 4);  // and its checksum
    if (!data) return cut_off("PNG", reader);
    if (!header) {
      if (kind != "IHDR" || length != 13) return broken("PNG", "does not begin with its header");
      auto size =
          sized(OutputFormat::png, "PNG", big_endian(data->substr(0, 4)), big_endian(data->substr(4, 4)));
      if (!size) return size;
      header = *size;
    }
    if (kind == "IEND") return *header;
  }
}

/// SOF0 to SOF15 but DHT, JPG and DAC, which lie among them.
bool is_start_of_frame(std::uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/// Markers without a length: RST0 to RST7, TEM; and 0xFF00, which is a sample.
bool stands_alone(std::uint8_t marker) { return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd7); }

Result<PictureHeader> read_jpeg(Reader reader) {
  reader.take(2);  // SOI
  std::optional<PictureHeader> header;
  for (;;) {
    // Between segments there is nothing to skip; within a scan, the samples.
    if (!reader.skip_to_marker()) return cut_off("JPEG", reader);
    std::optional<std::uint8_t> marker;
    do marker = reader.byte();
    while (marker && *marker == 0xff);
    if (!marker) return cut_off("JPEG", reader);
    if (stands_alone(*marker)) continue;
    if (*marker == 0xd9) break;  // EOI
    const auto length = reader.take(2);
    if (!length) return cut_off("JPEG", reader);
    const std::uint32_t count = big_endian(*length);
    if (count < 2) return broken("JPEG", "has a segment of impossible length");
    const auto data = reader.take(count - 2);
    if (!data) return cut_off("JPEG", reader);
    if (!is_start_of_frame(*marker)) continue;
    if (data->size() < 5) return broken("JPEG", "has a broken frame header");
    auto size =
        sized(OutputFormat::jpeg, "JPEG", big_endian(data->substr(3, 2)), big_endian(data->substr(1, 2)));
    if (!size) return size;
    header = *size;
  }
  if (!header) return broken("JPEG", "has no frame");
  return *header;
}

Result<PictureHeader> read_webp(Reader reader) {
  const auto riff = reader.take(12);
  if (!riff) return cut_off("WebP", reader);
  const std::uint32_t stated = little_endian(riff->substr(4, 4));
  if (stated < 4 || stated - 4 > reader.left()) return cut_off("WebP", reader);

  const auto chunk = reader.take(8);
  if (!chunk) return cut_off("WebP", reader);
  const std::string_view kind = chunk->substr(0, 4);
  const auto data = reader.take(std::min<std::size_t>(little_endian(chunk->substr(4, 4)), 10));
  if (!data) return cut_off("WebP", reader);
  if (kind == "VP8X" && data->size() == 10)
    return sized(OutputFormat::webp, "WebP", little_endian(data->substr(4, 3)) + 1,
                 little_endian(data->substr(7, 3)) + 1);
  if (kind == "VP8L" && data->size() >= 5 && data->front() == '\x2f') {
    const std::uint32_t bits = little_endian(data->substr(1, 4));
    return sized(OutputFormat::webp, "WebP", (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
  }
  if (kind == "VP8 " && data->size() == 10 && data->substr(3, 3) == "\x9d\x01\x2a"sv)
    return sized(OutputFormat::webp, "WebP", little_endian(data->substr(6, 2)) & 0x3fff,
                 little_endian(data->substr(8, 2)) & 0x3fff);
  return broken("WebP", "does not begin with its header");
}

}  // namespace

Result<PictureHeader> read_picture_header(std::string_view bytes) {
  if (bytes.starts_with(kPngSignature)) return read_png(Reader(bytes));
  if (bytes.starts_with("\xff\xd8\xff"sv)) return read_jpeg(Reader(bytes));
  if (bytes.starts_with("RIFF"sv) && (bytes.size() < 12 || bytes.substr(8, 4) == "WEBP"sv))
    return read_webp(Reader(bytes));
  return not_good("must be a PNG, JPEG or WebP picture");
}

}  // namespace waggle

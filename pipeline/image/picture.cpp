// Choosing the codec, and what all formats share: see pipeline/image/picture.h.
#include "pipeline/image/picture.h"

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/image/codecs.h"
#include "pipeline/image/exif.h"
#include "pipeline/image/orientation.h"
#include "pipeline/image/xmp.h"
#include "schemas/limits.h"

namespace waggle::pipeline {
namespace {

// Longer sides overflow the arithmetic of some reader somewhere; no picture within the pixel limit needs
// them.
constexpr std::uint64_t kMaxPictureSide = 1u << 15;

void check(const Picture& picture) {
  const bool good_shape = picture.width > 0 && picture.height > 0 &&
                          (picture.channels == 1 || picture.channels == 3 || picture.channels == 4);
  if (!good_shape) throw std::invalid_argument("a picture without pixels, or with an odd number of channels");
  const auto samples =
      std::size_t(picture.width) * std::size_t(picture.height) * std::size_t(picture.channels);
  if (picture.samples.size() != samples)
    throw std::invalid_argument("a picture whose samples do not fill its size");
}

Metadata metadata_of(const TextFields& text) {
  Metadata metadata;
  for (const auto& [key, value] : text) {
    if (key == "parameters") metadata.exif = exif::with_user_comment(value);
    if (key == "waggle") metadata.xmp = xmp::with_job(value);
  }
  return metadata;
}

Result<TextFields> text_of(Result<Metadata> metadata) {
  if (!metadata) return std::move(metadata).error();
  TextFields text;
  if (auto comment = exif::user_comment(metadata->exif)) text.emplace_back("parameters", std::move(*comment));
  if (auto job = xmp::job(metadata->xmp)) text.emplace_back("waggle", std::move(*job));
  for (auto& field : exif::keyed_texts(metadata->exif)) text.push_back(std::move(field));
  return text;
}

Result<StoredPicture> decode_stored(std::string_view bytes, OutputFormat format) {
  switch (format) {
    case OutputFormat::png:
      return decode_png(bytes);
    case OutputFormat::jpeg:
      return decode_jpeg(bytes);
    case OutputFormat::webp:
      return decode_webp(bytes);
  }
  return broken_picture("picture", "of a format nobody knows");
}

}  // namespace

Status check_picture_size(std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) return broken_picture("picture", "it has no pixels");
  // The sides first, so that their product cannot overflow.
  const bool too_large = width > kMaxPictureSide || height > kMaxPictureSide ||
                         width * height > std::uint64_t{limits::kMaxPicturePixels};
  if (!too_large) return Done{};
  return Error{.code = ErrorCode::payload_too_large,
               .message = "the picture has " + std::to_string(width) + "x" + std::to_string(height) +
                          " pixels; at most " + std::to_string(limits::kMaxPicturePixels) + " are allowed, " +
                          std::to_string(kMaxPictureSide) + " a side"};
}

Error broken_picture(std::string_view format, std::string_view why) {
  return {.code = ErrorCode::unsupported_media,
          .message = "the " + std::string(format) + " is broken: " + std::string(why)};
}

std::string encode(const Picture& picture, OutputFormat format, const TextFields& text) {
  check(picture);
  switch (format) {
    case OutputFormat::png:
      return encode_png(picture, text);
    case OutputFormat::jpeg:
      return encode_jpeg(picture, metadata_of(text));
    case OutputFormat::webp:
      return encode_webp(picture, metadata_of(text));
  }
  throw std::invalid_argument("a picture format that nobody knows");
}

Result<OutputFormat> sniff(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) return OutputFormat::png;
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) return OutputFormat::jpeg;
  if (bytes.starts_with("RIFF"sv) && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP"sv)
    return OutputFormat::webp;
  return Error{.code = ErrorCode::unsupported_media, .message = "the picture is neither PNG, JPEG nor WebP"};
}

Result<Picture> decode(std::string_view bytes) {
  if (bytes.size() > limits::kMaxPictureBytes) {
    return Error{.code = ErrorCode::payload_too_large,
                 .message = "the picture has " + std::to_string(bytes.size()) + " bytes; at most " +
                            std::to_string(limits::kMaxPictureBytes) + " are allowed"};
  }
  const Result<OutputFormat> format = sniff(bytes);
  if (!format) return format.error();
  Result<StoredPicture> stored = decode_stored(bytes, format.value());
  if (!stored) return std::move(stored).error();
  return upright(std::move(stored->picture), exif::orientation(stored->exif));
}

Result<TextFields> read_text(std::string_view bytes) {
  const Result<OutputFormat> format = sniff(bytes);
  if (!format) return format.error();
  switch (format.value()) {
    case OutputFormat::png:
      return read_png_text(bytes);
    case OutputFormat::jpeg:
      return text_of(read_jpeg_metadata(bytes));
    case OutputFormat::webp:
      return text_of(read_webp_metadata(bytes));
  }
  return TextFields{};
}

}  // namespace waggle::pipeline

// One set of functions per file format, called by picture.cpp alone. Sizes are checked here, before anything
// is allocated for pixels; format and orientation are the caller's business.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/image/picture.h"
#include "schemas/result.h"

namespace waggle::pipeline {

/// A picture as its file stores it.
struct StoredPicture {
  Picture picture;
  std::string exif;  ///< TIFF structure, empty when there is none
};

/// What a JPEG or a WebP carries besides its pixels; empty where there is none.
struct Metadata {
  std::string exif;  ///< TIFF structure
  std::string xmp;   ///< packet
};

std::string encode_png(const Picture& picture, const TextFields& text);
Result<StoredPicture> decode_png(std::string_view bytes);
Result<TextFields> read_png_text(std::string_view bytes);

/// Metadata that does not fit the 64 KiB of a JPEG's segments is left out.
std::string encode_jpeg(const Picture& picture, const Metadata& metadata);
Result<StoredPicture> decode_jpeg(std::string_view bytes);
Result<Metadata> read_jpeg_metadata(std::string_view bytes);

std::string encode_webp(const Picture& picture, const Metadata& metadata);
Result<StoredPicture> decode_webp(std::string_view bytes);
Result<Metadata> read_webp_metadata(std::string_view bytes);

/// Done when a picture of this size may be decoded. Errors: payload_too_large, unsupported_media.
Status check_picture_size(std::uint64_t width, std::uint64_t height);

/// unsupported_media: "the PNG is broken: <why>".
Error broken_picture(std::string_view format, std::string_view why);

}  // namespace waggle::pipeline

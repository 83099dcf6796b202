// Decoded pictures and their files: PNG, JPEG, WebP in and out. Libpng, libjpeg-turbo and libwebp are seen
// here alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::pipeline {

/// Interleaved 8-bit samples, rows top to bottom without padding.
struct Picture {
  int width = 0, height = 0;  ///< pixels
  int channels = 3;           ///< 1 grey, 3 RGB, 4 RGBA (straight alpha)
  std::vector<std::uint8_t> samples;
};

/// Key and text, put into the file: PNG tEXt (Latin-1) or iTXt (UTF-8), JPEG and WebP EXIF UserComment for
/// "parameters" and XMP for "waggle".
using TextFields = std::vector<std::pair<std::string, std::string>>;

/// Encodes RGB. PNG: compression level 6; JPEG: quality 95, 4:4:4; WebP: quality 95. Throws on a broken
/// picture.
std::string encode(const Picture& picture, OutputFormat format, const TextFields& text = {});

/// What a file holds, judged by its first bytes.
Result<OutputFormat> sniff(std::string_view bytes);

/// Decodes after checking the header against limits::kMaxPicturePixels, turns by EXIF orientation, keeps
/// alpha. Errors: unsupported_media, payload_too_large. Truncated files are errors.
Result<Picture> decode(std::string_view bytes);

/// The text fields of a file that encode() or another program wrote; empty when it has none. In JPEG and
/// WebP also "prompt" and "workflow", which ComfyUI writes into EXIF. Errors: unsupported_media, also for a
/// text that is damaged or unpacks to more than 2 MiB.
Result<TextFields> read_text(std::string_view bytes);

}  // namespace waggle::pipeline

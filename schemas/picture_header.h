// What an encoded picture says of itself, read without decoding a pixel and with nothing but the standard
// library: so that a queen or a bridge refuses half a picture, or one of a terapixel, before anything is
// stored. Sample data is skipped, not checked: a picture that passes can still turn out broken when it is
// decoded.
#pragma once

#include <cstdint>
#include <string_view>

#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle {

struct PictureHeader {
  OutputFormat format = OutputFormat::png;
  std::int64_t width = 0, height = 0;  ///< pixels as stored, before EXIF turns them; at least 1
  bool operator==(const PictureHeader&) const = default;
};

/// Walks the container from its first byte to its end mark: PNG chunks to IEND (ISO/IEC 15948, 5.2), JPEG
/// segments and scans to EOI (ITU-T T.81, B.1), WebP chunks to the length that RIFF states (RFC 9649, 2.4).
/// Bytes after the end are let be. Errors: unsupported_media, with what is wrong as a clause ("is a PNG that
/// is cut off after 812 bytes").
Result<PictureHeader> read_picture_header(std::string_view bytes);

}  // namespace waggle

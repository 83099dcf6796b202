// The few things Waggle wants from EXIF: the orientation, and the places in which image programs keep the
// parameters of a picture that is no PNG. All other tags are ignored, and none are kept.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waggle::pipeline::exif {

/// A TIFF structure (without the "Exif\0\0" of JPEG) that holds this UTF-8 text as its UserComment, in the
/// UNICODE form (UTF-16, big-endian) that other programs read; as ASCII when only that fits the 64 KiB of a
/// JPEG segment; empty when neither does.
std::string with_user_comment(std::string_view utf8);

/// The UserComment as UTF-8. Any bytes are accepted; nothing when there is none.
std::optional<std::string> user_comment(std::string_view tiff);

/// "prompt" and "workflow" with their JSON: ComfyUI puts "prompt:{...}" into whichever of ImageDescription,
/// Make and Model comes next. Any bytes are accepted.
std::vector<std::pair<std::string, std::string>> keyed_texts(std::string_view tiff);

/// 1 to 8; 1 when the bytes do not say.
int orientation(std::string_view tiff);

/// The bytes without the "Exif\0\0" that JPEG, and some writers of WebP, put before the TIFF structure.
std::string_view without_prefix(std::string_view bytes);

}  // namespace waggle::pipeline::exif

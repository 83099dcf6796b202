// The XMP packet (ISO 16684-1) in which a picture that is no PNG keeps the whole job as JSON. EXIF has no
// field for it, and other programs leave packets that they do not know as they are. Nothing else of XMP is
// read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waggle::pipeline::xmp {

/// A packet with this text as its job.
std::string with_job(std::string_view json);

/// The job of a packet that with_job() made. Any bytes are accepted; nothing when there is none.
std::optional<std::string> job(std::string_view packet);

}  // namespace waggle::pipeline::xmp

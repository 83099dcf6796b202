// MessagePack bytes to and from a document. The only file pair that includes msgpack-c.
#pragma once

#include <string>
#include <string_view>

#include "schemas/codec/document.h"
#include "schemas/result.h"

namespace waggle::codec {

/// Exactly one value, no bytes after it. Errors: malformed_message (truncated, extension types, keys that are
/// not strings, doubled keys, too deep), payload_too_large (bytes or elements).
Result<Document> parse_msgpack(std::string_view bytes);

/// The shortest form of every integer; doubles as float64; members in the document's order.
std::string write_msgpack(const Document& document);

}  // namespace waggle::codec

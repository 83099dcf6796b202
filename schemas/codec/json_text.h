// JSON text to and from a document. Binary data is base64 text on the way out; on the way in it stays a
// string, since only the field that expects a picture knows that it is one.
#pragma once

#include <string>
#include <string_view>

#include "schemas/codec/document.h"
#include "schemas/result.h"

namespace waggle::codec {

/// One RFC 8259 document and nothing after it. Errors: malformed_message (syntax, invalid UTF-8, NaN, numbers
/// beyond a double, doubled keys, too deep), payload_too_large (bytes or elements).
Result<Document> parse_json(std::string_view text);

/// Compact, members in the document's order. Text that is not UTF-8 gets replacement characters, numbers that
/// are not finite become null.
std::string write_json(const Document& document);

}  // namespace waggle::codec

// Version and type come before everything else: a message of another version is not looked into.
#include "schemas/codec/envelope.h"

namespace waggle::codec {

void seal(ObjectWriter& writer, std::string_view type) {
  writer.derived("v", Document{std::int64_t{kProtocolVersion}});
  writer.derived("type", Document{std::string(type)});
}

Result<std::string> open(const Document& document, Notation notation) {
  if (document.get_if<Object>() == nullptr) {
    return Error{ErrorCode::malformed_message,
                 "a message must be an object, is " + std::string(kind(document)),
                 {},
                 {}};
  }
  Findings findings(notation);
  const Path root;
  ObjectReader reader(document, root, findings);
  std::int64_t version = kProtocolVersion;
  std::string type;
  reader.required("v", version);
  reader.required("type", type);
  if (version != kProtocolVersion) {
    return Error{ErrorCode::unsupported_version,
                 "this side speaks version " + std::to_string(kProtocolVersion) + ", the message has " +
                     std::to_string(version),
                 {},
                 {}};
  }
  if (!findings.empty()) return findings.to_error();
  return type;
}

Error unknown_type(std::string_view type) {
  std::string message = "no message of this type is known here";
  if (is_valid_request_id(type)) message += ": " + std::string(type);
  return {ErrorCode::unknown_type, std::move(message), {}, {}};
}

}  // namespace waggle::codec

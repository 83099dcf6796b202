// The MessagePack face: bytes to documents to structs. A stored job and a stored error get an envelope of
// their own.
#include "schemas/codec/msgpack.h"

#include "schemas/codec/envelope.h"
#include "schemas/codec/msgpack_bytes.h"

namespace waggle::codec {

namespace {

constexpr std::string_view kJob = "job";
constexpr std::string_view kError = "error";

template <class T>
Result<T> read(std::string_view bytes) {
  Result<Document> document = parse_msgpack(bytes);
  if (!document) return std::move(document).error();
  return from_document<T>(*document, Notation::msgpack);
}

template <class T>
Result<T> read(std::string_view bytes, std::string_view type) {
  Result<Document> document = parse_msgpack(bytes);
  if (!document) return std::move(document).error();
  return read_single<T>(type, *document, Notation::msgpack);
}

}  // namespace

std::string to_msgpack(const Request& value) { return write_msgpack(to_document(value)); }
std::string to_msgpack(const Reply& value) { return write_msgpack(to_document(value)); }
std::string to_msgpack(const Event& value) { return write_msgpack(to_document(value)); }
std::string to_msgpack(const WorkerInfo& value) { return write_msgpack(to_document(value)); }
std::string to_msgpack(const JobAnnouncement& value) { return write_msgpack(to_document(value)); }
std::string to_msgpack(const Control& value) { return write_msgpack(to_document(value)); }
std::string to_msgpack(const JobRequest& value) { return write_msgpack(write_single(kJob, value)); }
std::string to_msgpack(const Error& value) { return write_msgpack(write_single(kError, value)); }

template <>
Result<Request> from_msgpack(std::string_view bytes) {
  return read<Request>(bytes);
}
template <>
Result<Reply> from_msgpack(std::string_view bytes) {
  return read<Reply>(bytes);
}
template <>
Result<Event> from_msgpack(std::string_view bytes) {
  return read<Event>(bytes);
}
template <>
Result<WorkerInfo> from_msgpack(std::string_view bytes) {
  return read<WorkerInfo>(bytes);
}
template <>
Result<JobAnnouncement> from_msgpack(std::string_view bytes) {
  return read<JobAnnouncement>(bytes);
}
template <>
Result<Control> from_msgpack(std::string_view bytes) {
  return read<Control>(bytes);
}
template <>
Result<JobRequest> from_msgpack(std::string_view bytes) {
  return read<JobRequest>(bytes, kJob);
}
template <>
Result<ErrorRecord> from_msgpack(std::string_view bytes) {
  return read<ErrorRecord>(bytes, kError);
}

RequestId peek_request_id(std::string_view bytes) {
  const Result<Document> document = parse_msgpack(bytes);
  if (!document) return {};
  const Object* object = document->get_if<Object>();
  const Document* id = object == nullptr ? nullptr : find(*object, "request_id");
  const std::string* text = id == nullptr ? nullptr : id->get_if<std::string>();
  return text != nullptr && is_valid_request_id(*text) ? RequestId(*text) : RequestId();
}

}  // namespace waggle::codec

// The JSON face. Messages keep their envelope; a job request, a status, an error and a model are bare
// objects.
#include "schemas/codec/json.h"

#include "schemas/codec/envelope.h"
#include "schemas/codec/json_text.h"
#include "schemas/validate.h"

namespace waggle::codec {

namespace {

template <class T>
Result<T> read_message(std::string_view text) {
  Result<Document> document = parse_json(text);
  if (!document) return std::move(document).error();
  return from_document<T>(*document, Notation::json);
}

template <class T>
Result<T> read_bare(std::string_view text) {
  Result<Document> document = parse_json(text);
  if (!document) return std::move(document).error();
  return read_whole<T>(*document, Notation::json);
}

}  // namespace

std::string to_json(const Request& value) { return write_json(to_document(value)); }
std::string to_json(const Reply& value) { return write_json(to_document(value)); }
std::string to_json(const Event& value) { return write_json(to_document(value)); }
std::string to_json(const WorkerInfo& value) { return write_json(to_document(value)); }
std::string to_json(const JobAnnouncement& value) { return write_json(to_document(value)); }
std::string to_json(const Control& value) { return write_json(to_document(value)); }
std::string to_json(const JobRequest& value) { return write_json(encode(value)); }
std::string to_json(const JobStatus& value) { return write_json(encode(value)); }
std::string to_json(const Error& value) { return write_json(encode(value)); }
std::string to_json(const ModelInfo& value) { return write_json(encode(value)); }
std::string to_json(const PoolModel& value) { return write_json(encode(value)); }
std::string to_json(const std::vector<JobStatus>& values) { return write_json(encode(values)); }
std::string to_json(const std::vector<WorkerInfo>& values) { return write_json(encode(values)); }
std::string to_json(const AdapterLists& value) { return write_json(encode(value)); }
std::string to_json(const std::vector<PoolModel>& values) { return write_json(encode(values)); }
std::string to_json(const std::vector<ImageInfo>& values) { return write_json(encode(values)); }
std::string to_json(const std::vector<FieldError>& values) { return write_json(encode(values)); }

template <>
Result<Request> from_json(std::string_view text) {
  return read_message<Request>(text);
}
template <>
Result<Reply> from_json(std::string_view text) {
  return read_message<Reply>(text);
}
template <>
Result<Event> from_json(std::string_view text) {
  return read_message<Event>(text);
}
template <>
Result<WorkerInfo> from_json(std::string_view text) {
  return read_message<WorkerInfo>(text);
}
template <>
Result<JobAnnouncement> from_json(std::string_view text) {
  return read_message<JobAnnouncement>(text);
}
template <>
Result<Control> from_json(std::string_view text) {
  return read_message<Control>(text);
}
template <>
Result<JobRequest> from_json(std::string_view text) {
  return read_bare<JobRequest>(text);
}
template <>
Result<JobStatus> from_json(std::string_view text) {
  return read_bare<JobStatus>(text);
}
template <>
Result<ErrorRecord> from_json(std::string_view text) {
  return read_bare<ErrorRecord>(text);
}
template <>
Result<ModelInfo> from_json(std::string_view text) {
  return read_bare<ModelInfo>(text);
}

Result<JobRequest> parse_job_request(std::string_view text) {
  auto request = from_json<JobRequest>(text);
  if (!request) return request;
  if (auto errors = validate(*request); !errors.empty()) return invalid_request(std::move(errors));
  return request;
}

}  // namespace waggle::codec

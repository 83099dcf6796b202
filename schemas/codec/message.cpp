// The field tables of what the queen publishes (announcements, control) and of the heartbeat's envelope.
#include "schemas/message.h"

#include "schemas/codec/envelope.h"
#include "schemas/codec/fields.h"

namespace waggle::codec {

namespace {

constexpr std::string_view kAnnouncement = "announcement";
constexpr std::string_view kHeartbeat = "heartbeat";

}  // namespace

template <class Fields>
void describe(Fields& f, Ref<Fields, JobAnnouncement> announcement) {
  f.required("job_id", announcement.job);
  f.required("model", announcement.model);
  f.with_default("priority", announcement.priority);
}

Document encode(const JobAnnouncement& value) { return encode_fields(value); }
void decode(const Document& from, const Path& at, Findings& findings, JobAnnouncement& to) {
  decode_fields(from, at, findings, to);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ControlCancel> control) {
  f.required("job_id", control.job);
}

template <class Fields>
void describe(Fields&, Ref<Fields, ControlDrain>) {}

template <class Fields>
void describe(Fields& f, Ref<Fields, ControlLoadModel> control) {
  f.required("model", control.model);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ControlUnloadModel> control) {
  f.required("model", control.model);
}

Document to_document(const JobAnnouncement& value) { return write_single(kAnnouncement, value); }
Document to_document(const WorkerInfo& value) { return write_single(kHeartbeat, value); }
Document to_document(const Control& value) {
  ObjectWriter writer;
  seal(writer, name(value));
  std::visit([&](const auto& control) { describe(writer, control); }, value);
  return writer.take();
}

template <>
Result<JobAnnouncement> from_document(const Document& document, Notation notation) {
  return read_single<JobAnnouncement>(kAnnouncement, document, notation);
}

template <>
Result<WorkerInfo> from_document(const Document& document, Notation notation) {
  return read_single<WorkerInfo>(kHeartbeat, document, notation);
}

template <>
Result<Control> from_document(const Document& document, Notation notation) {
  Result<std::string> type = open(document, notation);
  if (!type) return std::move(type).error();
  Control control;
  if (!emplace_by_name(*type, control)) return unknown_type(*type);
  Findings findings(notation);
  const Path root;
  ObjectReader reader(document, root, findings);
  std::visit([&](auto& body) { describe(reader, body); }, control);
  if (!findings.empty()) return findings.to_error();
  return control;
}

}  // namespace waggle::codec

// The field tables of the queen's replies.
#include "schemas/codec/envelope.h"
#include "schemas/codec/fields.h"
#include "schemas/message.h"

namespace waggle::codec {

template <class Fields>
void describe(Fields& f, Ref<Fields, Reply> reply) {
  f.unless_empty("request_id", reply.id);  // a request too broken to name itself gets an answer without
}

template <class Fields>
void describe(Fields& f, Ref<Fields, Accepted> accepted) {
  f.required("job_id", accepted.job);
  f.with_default("position", accepted.position);
  f.with_default("duplicate", accepted.duplicate);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, Rejected> rejected) {
  f.required("error", rejected.error);
}

// One answer of several carries its own `type`, as if it were alone.
using OneAnswer = std::variant<Accepted, Rejected>;

Document encode(const OneAnswer& value) {
  ObjectWriter writer;
  writer.derived("type", Document{std::string(value.index() == 0 ? "accepted" : "rejected")});
  std::visit([&](const auto& answer) { describe(writer, answer); }, value);
  return writer.take();
}

void decode(const Document& from, const Path& at, Findings& findings, OneAnswer& to) {
  ObjectReader reader(from, at, findings);
  std::string type;
  reader.required("type", type);
  if (type == "accepted") {
    describe(reader, to.emplace<Accepted>());
  } else if (type == "rejected") {
    describe(reader, to.emplace<Rejected>());
  } else if (!type.empty()) {
    findings.add(at / "type", "must be accepted or rejected");
  }
}

template <class Fields>
void describe(Fields& f, Ref<Fields, AcceptedMany> accepted) {
  f.required("results", accepted.results);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, CancelAccepted> cancelled) {
  f.required("job_id", cancelled.job);
  f.required("state", cancelled.state);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, StatusReply> reply) {
  f.required("status", reply.status);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ListReply> reply) {
  f.required("jobs", reply.jobs);
  f.with_default("next_cursor", reply.next_cursor);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, WorkersReply> reply) {
  f.required("workers", reply.workers);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, PoolModel> entry) {
  f.required("model", entry.model);
  f.with_default("workers", entry.workers);
  f.with_default("paused", entry.paused);
}

Document encode(const PoolModel& value) { return encode_fields(value); }
void decode(const Document& from, const Path& at, Findings& findings, PoolModel& to) {
  decode_fields(from, at, findings, to);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ModelsReply> reply) {
  f.required("models", reply.models);
  f.with_default("adapters", reply.adapters);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, Requeued> reply) {
  f.required("job_id", reply.job);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, Draining> reply) {
  f.required("worker_id", reply.worker);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, StatsReply> stats) {
  f.required("queued", stats.queued);
  f.required("running", stats.running);
  f.required("completed", stats.completed);
  f.required("failed", stats.failed);
  f.required("cancelled", stats.cancelled);
  f.required("expired", stats.expired);
  f.required("dead", stats.dead);
  f.required("workers", stats.workers);
  f.with_default("malformed_messages", stats.malformed_messages);
  f.with_default("uptime_s", stats.uptime_s);
  f.with_default("queued_bytes", stats.queued_bytes);
  f.with_default("image_bytes", stats.image_bytes);
  f.with_default("images_evicted", stats.images_evicted);
  f.with_default("paused", stats.paused);
  f.with_default("queen", stats.queen);
  f.with_default("malformed_events", stats.malformed_events);
  f.with_default("malformed_subscriptions", stats.malformed_subscriptions);
  f.with_default("rate_limited", stats.rate_limited);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, Paused> reply) {
  f.required("models", reply.models);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, Resumed> reply) {
  f.required("models", reply.models);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, Told> reply) {
  f.required("worker_id", reply.worker);
}

Document to_document(const Reply& value) { return write_tagged(value, value.body); }

template <>
Result<Reply> from_document(const Document& document, Notation notation) {
  return read_tagged(
      document, notation, Reply{}, +[](Reply& reply) -> ReplyBody& { return reply.body; });
}

}  // namespace waggle::codec

// The field tables of what anybody may know of a job: its status, images and failed attempts.
#include "schemas/codec/fields.h"
#include "schemas/job.h"

namespace waggle::codec {

template <class Fields>
void describe(Fields& f, Ref<Fields, ImageInfo> image) {
  f.required("index", image.index);
  f.required("seed", image.seed);
  f.required("format", image.format);
  f.required("width", image.width);
  f.required("height", image.height);
  f.required("bytes", image.bytes);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, AttemptError> attempt) {
  f.required("attempt", attempt.attempt);
  f.unless_empty("worker_id", attempt.worker);
  f.required("error", attempt.error);
  f.required("at_ms", attempt.at_ms);
}

Document encode(const AttemptError& value) { return encode_fields(value); }
void decode(const Document& from, const Path& at, Findings& findings, AttemptError& to) {
  decode_fields(from, at, findings, to);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, JobStatus> status) {
  f.required("job_id", status.id);
  f.required("state", status.state);
  f.with_default("model", status.model);
  f.with_default("priority", status.priority);
  f.optional("tenant", status.tenant);
  f.with_default("attempt", status.attempt);
  f.with_default("max_attempts", status.max_attempts);
  f.optional("worker_id", status.worker);
  f.with_default("submitted_at_ms", status.submitted_at_ms);
  f.optional("started_at_ms", status.started_at_ms);
  f.optional("finished_at_ms", status.finished_at_ms);
  f.optional("position", status.position);
  f.optional("eta_s", status.eta_s);
  f.with_default("step", status.step);
  f.with_default("total_steps", status.total_steps);
  f.with_default("cancel_requested", status.cancel_requested);
  f.with_default("images", status.images);
  f.optional("seed", status.seed);
  f.optional("error", status.error);
  f.with_default("attempts", status.attempts);
}

Document encode(const ImageInfo& value) { return encode_fields(value); }
Document encode(const JobStatus& value) { return encode_fields(value); }

void decode(const Document& from, const Path& at, Findings& findings, ImageInfo& to) {
  decode_fields(from, at, findings, to);
}
void decode(const Document& from, const Path& at, Findings& findings, JobStatus& to) {
  decode_fields(from, at, findings, to);
}

}  // namespace waggle::codec

// The field tables of a worker's description of itself and of the models that it serves.
#include "schemas/worker_info.h"

#include "schemas/codec/fields.h"

namespace waggle::codec {

template <class Fields>
void describe(Fields& f, Ref<Fields, ModelInfo> model) {
  f.required("name", model.name);
  f.with_default("family", model.family);
  f.with_default("aliases", model.aliases);
  f.with_default("loaded", model.loaded);
  f.with_default("bytes", model.bytes);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, AdapterLists> adapters) {
  f.with_default("loras", adapters.loras);
  f.with_default("embeddings", adapters.embeddings);
  f.with_default("vaes", adapters.vaes);
  f.with_default("controlnets", adapters.controlnets);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, WorkerInfo> worker) {
  f.required("worker_id", worker.id);
  f.required("state", worker.state);
  f.with_default("version", worker.version);
  f.with_default("device", worker.device);
  f.with_default("device_name", worker.device_name);
  f.with_default("precision", worker.precision);
  f.with_default("models", worker.models);
  f.with_default("samplers", worker.samplers);
  f.with_default("schedules", worker.schedules);
  f.with_default("adapters", worker.adapters);
  f.with_default("jobs", worker.jobs);
  f.with_default("capacity", worker.capacity);
  f.optional("steps_per_s", worker.steps_per_s);
  f.with_default("memory_used_bytes", worker.memory_used_bytes);
  f.with_default("memory_total_bytes", worker.memory_total_bytes);
  f.with_default("jobs_done", worker.jobs_done);
  f.with_default("jobs_failed", worker.jobs_failed);
  f.with_default("started_at_ms", worker.started_at_ms);
  f.with_default("seen_at_ms", worker.seen_at_ms);
  f.with_default("malformed_messages", worker.malformed_messages);
}

Document encode(const ModelInfo& value) { return encode_fields(value); }
Document encode(const AdapterLists& value) { return encode_fields(value); }
Document encode(const WorkerInfo& value) { return encode_fields(value); }

void decode(const Document& from, const Path& at, Findings& findings, ModelInfo& to) {
  decode_fields(from, at, findings, to);
}
void decode(const Document& from, const Path& at, Findings& findings, AdapterLists& to) {
  decode_fields(from, at, findings, to);
}
void decode(const Document& from, const Path& at, Findings& findings, WorkerInfo& to) {
  decode_fields(from, at, findings, to);
}

}  // namespace waggle::codec

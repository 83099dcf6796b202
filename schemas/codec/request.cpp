// The field tables of requests to the queen.
#include "schemas/codec/envelope.h"
#include "schemas/codec/fields.h"
#include "schemas/message.h"

namespace waggle::codec {

template <class Fields>
void describe(Fields& f, Ref<Fields, Request> request) {
  f.required("request_id", request.id);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, SubmitRequest> submit) {
  f.required("job", submit.job);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, SubmitManyRequest> submit) {
  f.required("jobs", submit.jobs);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, CancelRequest> cancel) {
  f.required("job_id", cancel.job);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, StatusRequest> status) {
  f.required("job_id", status.job);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ListRequest> list) {
  f.optional("state", list.state);
  f.with_default("limit", list.limit);
  f.with_default("cursor", list.cursor);
}

template <class Fields>
void describe(Fields&, Ref<Fields, WorkersRequest>) {}

template <class Fields>
void describe(Fields&, Ref<Fields, ModelsRequest>) {}

template <class Fields>
void describe(Fields& f, Ref<Fields, RequeueRequest> requeue) {
  f.required("job_id", requeue.job);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, DrainRequest> drain) {
  f.required("worker_id", drain.worker);
}

template <class Fields>
void describe(Fields&, Ref<Fields, StatsRequest>) {}

template <class Fields>
void describe(Fields& f, Ref<Fields, PauseRequest> pause) {
  f.required("model", pause.model);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ResumeRequest> resume) {
  f.required("model", resume.model);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, LoadModelRequest> load) {
  f.required("worker_id", load.worker);
  f.required("model", load.model);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, UnloadModelRequest> unload) {
  f.required("worker_id", unload.worker);
  f.required("model", unload.model);
}

Document to_document(const Request& value) { return write_tagged(value, value.body); }

template <>
Result<Request> from_document(const Document& document, Notation notation) {
  return read_tagged(
      document, notation, Request{}, +[](Request& request) -> RequestBody& { return request.body; });
}

}  // namespace waggle::codec

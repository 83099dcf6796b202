// The field tables of events. The envelope's type is the event's name; job, number, attempt and time stand
// beside it.
#include "schemas/event.h"

#include "schemas/codec/envelope.h"
#include "schemas/codec/fields.h"

namespace waggle::codec {

template <class Fields>
void describe(Fields& f, Ref<Fields, Event> event) {
  f.required("job_id", event.job);
  f.unless_empty("event_id", event.id);
  f.with_default("attempt", event.attempt);
  f.required("at_ms", event.at_ms);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, QueuedEvent> event) {
  f.with_default("position", event.position);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, StartedEvent> event) {
  f.required("worker_id", event.worker);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ProgressEvent> event) {
  f.required("step", event.step);
  f.required("total", event.total);
  f.required("percent", event.percent);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, PreviewEvent> event) {
  f.required("step", event.step);
  f.required("total", event.total);
  f.required("index", event.index);
  f.required("format", event.format);
  f.bytes("image", event.image);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, CompletedEvent> event) {
  f.required("images", event.images);
  f.required("seed", event.seed);
  f.with_default("render_s", event.render_s);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, FailedEvent> event) {
  f.required("error", event.error);
}

template <class Fields>
void describe(Fields&, Ref<Fields, CancelledEvent>) {}

template <class Fields>
void describe(Fields& f, Ref<Fields, RetriedEvent> event) {
  f.required("error", event.error);
  f.required("attempts_left", event.attempts_left);
  f.required("backoff_s", event.backoff_s);
}

template <class Fields>
void describe(Fields&, Ref<Fields, ExpiredEvent>) {}

template <class Fields>
void describe(Fields& f, Ref<Fields, DeadEvent> event) {
  f.required("error", event.error);
}

Document to_document(const Event& value) { return write_tagged(value, value.body); }

template <>
Result<Event> from_document(const Document& document, Notation notation) {
  return read_tagged(
      document, notation, Event{}, +[](Event& event) -> EventBody& { return event.body; });
}

}  // namespace waggle::codec

// The field table of a job as its client describes it: flat, with the `operation` tag among the fields.
#include "schemas/codec/fields.h"
#include "schemas/operation.h"

namespace waggle::codec {

template <class Fields>
void describe(Fields& f, Ref<Fields, Lora> lora) {
  f.required("path", lora.path);
  f.with_default("strength", lora.strength);
}

Document encode(const Lora& value) { return encode_fields(value); }
void decode(const Document& from, const Path& at, Findings& findings, Lora& to) {
  decode_fields(from, at, findings, to);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ControlInput> control) {
  f.required("path", control.path);
  f.required("image", control.image);
  f.with_default("strength", control.strength);
  f.with_default("start", control.start);
  f.with_default("end", control.end);
  f.with_default("guess_mode", control.guess_mode);
}

Document encode(const ControlInput& value) { return encode_fields(value); }
void decode(const Document& from, const Path& at, Findings& findings, ControlInput& to) {
  decode_fields(from, at, findings, to);
}

Document encode(const Interval& value) { return {Array{encode(value.from), encode(value.to)}}; }
void decode(const Document& from, const Path& at, Findings& findings, Interval& to) {
  const Array* pair = from.get_if<Array>();
  if (pair == nullptr) return findings.mistyped(at, "an array", from);
  if (pair->size() != 2) return findings.add(at, "must be two numbers, has " + std::to_string(pair->size()));
  decode((*pair)[0], at[0], findings, to.from);
  decode((*pair)[1], at[1], findings, to.to);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, Refiner> refiner) {
  f.required("model", refiner.model);
  f.with_default("start", refiner.start);
}

Document encode(const Refiner& value) { return encode_fields(value); }
void decode(const Document& from, const Path& at, Findings& findings, Refiner& to) {
  decode_fields(from, at, findings, to);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, Hires> hires) {
  f.optional("scale", hires.scale);
  f.optional("width", hires.width);
  f.optional("height", hires.height);
  f.with_default("upscaler", hires.upscaler);
  f.optional("steps", hires.steps);
  f.with_default("strength", hires.strength);
}

Document encode(const Hires& value) { return encode_fields(value); }
void decode(const Document& from, const Path& at, Findings& findings, Hires& to) {
  decode_fields(from, at, findings, to);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ImageGeneration> operation) {
  f.optional("width", operation.width);
  f.optional("height", operation.height);
  f.optional("hires", operation.hires);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ImageTransform> operation) {
  f.required("input_image", operation.input_image);
  f.with_default("strength", operation.strength);
  f.optional("width", operation.width);
  f.optional("height", operation.height);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, ImageInpaint> operation) {
  f.required("init_image", operation.init_image);
  f.required("mask_image", operation.mask_image);
  f.with_default("strength", operation.strength);
  f.optional("width", operation.width);
  f.optional("height", operation.height);
  f.optional("mask_blur", operation.mask_blur);
  f.optional("only_masked_padding", operation.only_masked_padding);
  if (Fields::kReading || operation.paste_back) f.with_default("paste_back", operation.paste_back);
}

namespace {

// Absent means text to image. An unknown operation is the field's error; its own fields are then not looked
// at.
bool read_operation(ObjectReader& f, Operation& operation) {
  std::string tag{name(ImageGeneration{})};
  f.with_default("operation", tag);
  if (emplace_by_name(tag, operation)) return true;
  f.findings().add(f.at() / "operation", "must be image_generation, image_transform or image_inpaint");
  return false;
}

}  // namespace

template <class Fields>
void describe(Fields& f, Ref<Fields, JobRequest> job) {
  bool known_operation = true;
  if constexpr (Fields::kReading) {
    known_operation = read_operation(f, job.operation);
    job.has_negative_prompt = f.member("negative_prompt", /*needed=*/false) != nullptr;
  } else {
    f.derived("operation", Document{std::string(name(job.operation))});
  }
  f.with_default("hive_id", job.hive_id);
  f.required("model", job.model);
  f.required("prompt", job.prompt);
  if (job.has_negative_prompt) f.with_default("negative_prompt", job.negative_prompt);
  f.optional("steps", job.steps);
  f.optional("guidance_scale", job.guidance_scale);
  f.optional("seed", job.seed);
  f.optional("sampler", job.sampler);
  f.optional("schedule", job.schedule);
  f.optional("clip_skip", job.clip_skip);
  f.optional("guidance_interval", job.guidance_interval);
  f.optional("deep_cache", job.deep_cache);
  f.optional("token_merging", job.token_merging);
  f.with_default("loras", job.loras);
  // Younger than version 1 of the protocol: written only when said, so that older bytes stay as they were.
  if (Fields::kReading || !job.controls.empty()) f.with_default("controls", job.controls);
  f.optional("refiner", job.refiner);
  f.optional("vae", job.vae);
  f.optional("worker_id", job.worker_id);
  f.with_default("n", job.n);
  f.with_default("output_format", job.output_format);
  f.optional("preview_every", job.preview_every);
  f.with_default("priority", job.priority);
  f.optional("deadline_s", job.deadline_s);
  f.with_default("max_attempts", job.max_attempts);
  f.optional("idempotency_key", job.idempotency_key);
  f.optional("tenant", job.tenant);
  f.optional("traceparent", job.traceparent);
  if (known_operation) std::visit([&](auto& operation) { describe(f, operation); }, job.operation);
}

Document encode(const JobRequest& value) { return encode_fields(value); }
void decode(const Document& from, const Path& at, Findings& findings, JobRequest& to) {
  const std::size_t before = findings.size();
  decode_fields(from, at, findings, to);
  if (findings.size() == before || from.get_if<Object>() == nullptr) return;
  // It will be refused: whoever mends it is told now what else is out of range, not in a second round. A
  // field that could not be read still has its default, about which the range check has nothing to say.
  findings.add_new(validate(to, at.pointer()));
}

}  // namespace waggle::codec

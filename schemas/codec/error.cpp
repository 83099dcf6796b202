// The field table of an error. A code that this version does not know reads as `internal`: new codes may
// come.
#include "schemas/error.h"

#include "schemas/codec/fields.h"
#include "schemas/codec/msgpack.h"

namespace waggle::codec {

template <class Fields>
void describe(Fields& f, Ref<Fields, FieldError> error) {
  f.required("path", error.path);
  f.required("message", error.message);
}

template <class Fields>
void describe(Fields& f, Ref<Fields, Error> error) {
  if constexpr (Fields::kReading) {
    std::string code;
    f.required("code", code);
    error.code = error_code_from_name(code).value_or(ErrorCode::internal);
  } else {
    f.derived("code", Document{std::string(traits(error.code).name)});
  }
  f.with_default("message", error.message);
  f.derived("retryable", Document{error.retryable()});
  if (Fields::kReading || !error.fields.empty()) f.with_default("fields", error.fields);
  f.optional("retry_after_s", error.retry_after_s);
}

Document encode(const FieldError& value) { return encode_fields(value); }
Document encode(const Error& value) { return encode_fields(value); }

void decode(const Document& from, const Path& at, Findings& findings, FieldError& to) {
  decode_fields(from, at, findings, to);
}
void decode(const Document& from, const Path& at, Findings& findings, Error& to) {
  decode_fields(from, at, findings, to);
}
void decode(const Document& from, const Path& at, Findings& findings, ErrorRecord& to) {
  decode_fields(from, at, findings, to.error);
}

}  // namespace waggle::codec

// Scalars, ids, names and pictures: what a single field may look like in either notation.
#include "schemas/codec/fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "schemas/codec/base64.h"
#include "schemas/limits.h"

namespace waggle::codec {

std::string Path::pointer() const {
  if (parent == nullptr) return "";
  // Keys are the protocol's own, so none needs escaping.
  return parent->pointer() + "/" + (key.empty() ? std::to_string(index) : std::string(key));
}

void Findings::add(const Path& at, std::string message) {
  if (errors_.size() < kMaxFindings) errors_.push_back({at.pointer(), std::move(message)});
}

void Findings::add_new(std::vector<FieldError> errors) {
  for (FieldError& error : errors) {
    if (errors_.size() == kMaxFindings) return;
    const auto covers = [&path = error.path](const FieldError& known) {
      return path.starts_with(known.path) &&
             (path.size() == known.path.size() || path[known.path.size()] == '/');
    };
    if (std::ranges::none_of(errors_, covers)) errors_.push_back(std::move(error));
  }
}

void Findings::mistyped(const Path& at, std::string_view wanted, const Document& found) {
  add(at, "must be " + std::string(wanted) + ", is " + std::string(kind(found)));
}

ObjectReader::ObjectReader(const Document& from, const Path& at, Findings& findings)
    : object_(from.get_if<Object>()), at_(at), findings_(findings) {
  if (object_ == nullptr) findings_.mistyped(at, "an object", from);
}

const Document* ObjectReader::member(std::string_view key, bool needed) {
  if (object_ == nullptr) return nullptr;
  const Document* found = find(*object_, key);
  if (found != nullptr && !found->is_null()) return found;
  if (needed) findings_.add(at_ / key, "is required");
  return nullptr;
}

Document encode(bool value) { return {value}; }
Document encode(int value) { return {std::int64_t{value}}; }
Document encode(std::int64_t value) { return {value}; }
Document encode(double value) { return {value}; }
Document encode(const std::string& value) { return {value}; }
Document encode(OutputFormat value) { return {std::string(name(value))}; }
Document encode(Upscaler value) { return {std::string(name(value))}; }
Document encode(JobState value) { return {std::string(name(value))}; }
Document encode(WorkerState value) { return {std::string(name(value))}; }

Document encode(const PictureInput& value) {
  if (const BlobId* reference = std::get_if<BlobId>(&value.source)) return encode(reference->value);
  return {Bytes{*std::get_if<std::string>(&value.source)}};
}

void decode(const Document& from, const Path& at, Findings& findings, bool& to) {
  const bool* value = from.get_if<bool>();
  if (value == nullptr) return findings.mistyped(at, "a boolean", from);
  to = *value;
}

namespace {

// An integer, also when it was written as 20.0, as some languages do.
std::optional<std::int64_t> integer(const Document& from) {
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double no longer tells integers apart
  if (const std::int64_t* value = from.get_if<std::int64_t>()) return *value;
  if (const double* value = from.get_if<double>()) {
    if (std::abs(*value) <= kExact && std::trunc(*value) == *value) return static_cast<std::int64_t>(*value);
  }
  return std::nullopt;
}

template <class Integer>
void decode_integer(const Document& from, const Path& at, Findings& findings, Integer& to) {
  constexpr auto kLow = std::numeric_limits<Integer>::min();
  constexpr auto kHigh = std::numeric_limits<Integer>::max();
  const bool number = from.get_if<std::int64_t>() != nullptr || from.get_if<double>() != nullptr;
  if (!number) return findings.mistyped(at, "an integer", from);
  const std::optional<std::int64_t> value = integer(from);
  if (!value) return findings.add(at, "must be an integer");
  if (*value < kLow || *value > kHigh) {
    return findings.add(at, "must be an integer of " + std::to_string(sizeof(Integer) * 8) + " bits, is " +
                                std::to_string(*value));
  }
  to = static_cast<Integer>(*value);
}

// Text that names one of a few things; `parse` gives nothing for a name it does not know.
template <class T, class Parse>
void decode_name(const Document& from, const Path& at, Findings& findings, T& to, Parse parse,
                 std::string_view wanted) {
  const std::string* text = from.get_if<std::string>();
  if (text == nullptr) return findings.mistyped(at, "a string", from);
  const std::optional<T> value = parse(*text);
  if (!value) return findings.add(at, "must be " + std::string(wanted));
  to = *value;
}

template <class T>
void decode_id(const Document& from, const Path& at, Findings& findings, T& to,
               bool (*is_valid)(std::string_view) noexcept, std::string_view wanted) {
  const auto parse = [&](const std::string& text) {
    return is_valid(text) ? std::optional(T(text)) : std::nullopt;
  };
  decode_name(from, at, findings, to, parse, wanted);
}

constexpr std::string_view kToken = "1 to 64 characters of A-Z a-z 0-9 . _ -";
static_assert(limits::kMaxIdBytes == 64, "kToken states the number");

}  // namespace

void decode(const Document& from, const Path& at, Findings& findings, int& to) {
  decode_integer(from, at, findings, to);
}

void decode(const Document& from, const Path& at, Findings& findings, std::int64_t& to) {
  decode_integer(from, at, findings, to);
}

void decode(const Document& from, const Path& at, Findings& findings, double& to) {
  if (const std::int64_t* value = from.get_if<std::int64_t>()) {
    to = static_cast<double>(*value);
  } else if (const double* number = from.get_if<double>()) {
    if (!std::isfinite(*number)) return findings.add(at, "must be a finite number");
    to = *number;
  } else {
    findings.mistyped(at, "a number", from);
  }
}

void decode(const Document& from, const Path& at, Findings& findings, std::string& to) {
  const std::string* text = from.get_if<std::string>();
  if (text == nullptr) return findings.mistyped(at, "a string", from);
  if (!is_valid_utf8(*text)) return findings.add(at, "must be valid UTF-8 without NUL");
  to = *text;
}

void decode(const Document& from, const Path& at, Findings& findings, OutputFormat& to) {
  decode_name(from, at, findings, to, output_format_from_name, "png, jpeg or webp");
}

void decode(const Document& from, const Path& at, Findings& findings, Upscaler& to) {
  decode_name(from, at, findings, to, upscaler_from_name,
              "latent, latent-bicubic, latent-nearest, lanczos or nearest");
}

void decode(const Document& from, const Path& at, Findings& findings, JobState& to) {
  decode_name(from, at, findings, to, job_state_from_name,
              "queued, running, completed, failed, cancelled, expired or dead");
}

void decode(const Document& from, const Path& at, Findings& findings, WorkerState& to) {
  decode_name(from, at, findings, to, worker_state_from_name,
              "starting, idle, busy, draining, broken or stopped");
}

void decode(const Document& from, const Path& at, Findings& findings, JobId& to) {
  decode_id(from, at, findings, to, is_valid_job_id, "a job id (a UUID version 7 in lower case)");
}

void decode(const Document& from, const Path& at, Findings& findings, WorkerId& to) {
  decode_id(from, at, findings, to, is_valid_worker_id, kToken);
}

void decode(const Document& from, const Path& at, Findings& findings, RequestId& to) {
  decode_id(from, at, findings, to, is_valid_request_id, kToken);
}

void decode(const Document& from, const Path& at, Findings& findings, EventId& to) {
  decode_id(from, at, findings, to, is_valid_event_id, "an event id (<milliseconds>-<sequence>)");
}

void decode_bytes(const Document& from, const Path& at, Findings& findings, std::string& to) {
  if (findings.notation() == Notation::msgpack) {
    const Bytes* bytes = from.get_if<Bytes>();
    if (bytes == nullptr) return findings.mistyped(at, "binary data", from);
    to = bytes->value;
    return;
  }
  const std::string* text = from.get_if<std::string>();
  if (text == nullptr) return findings.mistyped(at, "base64 text", from);
  std::string_view encoded = *text;
  if (encoded.starts_with("data:")) {
    constexpr std::string_view kMark = ";base64,";
    constexpr std::size_t kLongestPrefix = 256;
    const std::size_t mark = encoded.substr(0, kLongestPrefix).find(kMark);
    if (mark == std::string_view::npos) return findings.add(at, "must be a data: URL in base64");
    encoded.remove_prefix(mark + kMark.size());
  }
  std::optional<std::string> bytes = base64_decode(encoded);
  if (!bytes) return findings.add(at, "must be base64 text");
  to = *std::move(bytes);
}

void decode(const Document& from, const Path& at, Findings& findings, PictureInput& to) {
  const std::string* text = from.get_if<std::string>();
  const bool reference = text != nullptr && text->starts_with("sha256:");
  if (reference) {
    if (!is_valid_blob_id(*text)) {
      return findings.add(at, "must be 'sha256:' and 64 lower-case hexadecimal digits");
    }
    to.source = BlobId(*text);
    return;
  }
  if (text != nullptr && findings.notation() == Notation::msgpack) {
    return findings.add(at, "must be binary data or a 'sha256:' reference, is a string");
  }
  std::string bytes;
  decode_bytes(from, at, findings, bytes);
  to.source = std::move(bytes);
}

}  // namespace waggle::codec

// One table per struct: `describe(fields, value)` names each field once, and the same lines read and write
// it.
//
// An ObjectReader fills a struct from a document and notes every field that is missing or mistyped; an
// ObjectWriter makes the document. Ranges are schemas/validate.h's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "schemas/codec/document.h"
#include "schemas/error.h"
#include "schemas/ids.h"
#include "schemas/job.h"
#include "schemas/message.h"
#include "schemas/operation.h"
#include "schemas/validate.h"
#include "schemas/worker_info.h"

namespace waggle::codec {

struct ErrorRecord;

enum class Notation : std::uint8_t { msgpack, json };

/// Where in a document we are: a chain on the stack, spelled out only when something is wrong.
struct Path {
  const Path* parent = nullptr;
  std::string_view key{};
  std::size_t index = 0;

  [[nodiscard]] Path operator/(std::string_view name) const { return {this, name, 0}; }
  [[nodiscard]] Path operator[](std::size_t i) const { return {this, {}, i}; }
  [[nodiscard]] std::string pointer() const;  ///< RFC 6901
};

/// What is wrong with a document so far. Keeps the first kMaxFindings, so that garbage is not answered with
/// more.
class Findings {
 public:
  static constexpr std::size_t kMaxFindings = 100;

  explicit Findings(Notation notation) : notation_(notation) {}
  [[nodiscard]] Notation notation() const noexcept { return notation_; }
  [[nodiscard]] bool empty() const noexcept { return errors_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return errors_.size(); }
  void add(const Path& at, std::string message);
  /// Those about places of which, and of whose surroundings, nothing is noted yet.
  void add_new(std::vector<FieldError> errors);
  /// "must be an integer, is a string"
  void mistyped(const Path& at, std::string_view wanted, const Document& found);
  std::vector<FieldError> take() { return std::move(errors_); }
  /// An invalid_request that holds what was found.
  [[nodiscard]] Error to_error() { return invalid_request(take()); }

 private:
  Notation notation_;
  std::vector<FieldError> errors_;
};

// --- Values. Each decode leaves `to` alone when it notes a finding. ---

template <class T>
Document encode(const T* pointer) = delete;  // a pointer would pass as a boolean
Document encode(bool value);
Document encode(int value);
Document encode(std::int64_t value);
Document encode(double value);
Document encode(const std::string& value);
Document encode(OutputFormat value);
Document encode(JobState value);
Document encode(WorkerState value);
Document encode(const PictureInput& value);
Document encode(const FieldError& value);
Document encode(const Error& value);
Document encode(const ImageInfo& value);
Document encode(const JobRequest& value);
Document encode(const JobStatus& value);
Document encode(const ModelInfo& value);
Document encode(const PoolModel& value);
Document encode(const AdapterLists& value);
Document encode(const Lora& value);
Document encode(const ControlInput& value);
Document encode(Upscaler value);
Document encode(const Hires& value);
Document encode(const Refiner& value);
Document encode(const Interval& value);
Document encode(const AttemptError& value);
Document encode(const JobAnnouncement& value);
Document encode(const std::variant<Accepted, Rejected>& value);
Document encode(const WorkerInfo& value);
template <class Tag>
Document encode(const Id<Tag>& value) {
  return encode(value.value);
}

void decode(const Document& from, const Path& at, Findings& findings, bool& to);
void decode(const Document& from, const Path& at, Findings& findings, int& to);
void decode(const Document& from, const Path& at, Findings& findings, std::int64_t& to);
void decode(const Document& from, const Path& at, Findings& findings, double& to);
void decode(const Document& from, const Path& at, Findings& findings, std::string& to);
void decode(const Document& from, const Path& at, Findings& findings, OutputFormat& to);
void decode(const Document& from, const Path& at, Findings& findings, JobState& to);
void decode(const Document& from, const Path& at, Findings& findings, WorkerState& to);
void decode(const Document& from, const Path& at, Findings& findings, JobId& to);
void decode(const Document& from, const Path& at, Findings& findings, WorkerId& to);
void decode(const Document& from, const Path& at, Findings& findings, RequestId& to);
void decode(const Document& from, const Path& at, Findings& findings, EventId& to);
void decode(const Document& from, const Path& at, Findings& findings, PictureInput& to);
void decode(const Document& from, const Path& at, Findings& findings, FieldError& to);
void decode(const Document& from, const Path& at, Findings& findings, Error& to);
void decode(const Document& from, const Path& at, Findings& findings, ErrorRecord& to);
void decode(const Document& from, const Path& at, Findings& findings, ImageInfo& to);
void decode(const Document& from, const Path& at, Findings& findings, JobRequest& to);
void decode(const Document& from, const Path& at, Findings& findings, JobStatus& to);
void decode(const Document& from, const Path& at, Findings& findings, ModelInfo& to);
void decode(const Document& from, const Path& at, Findings& findings, PoolModel& to);
void decode(const Document& from, const Path& at, Findings& findings, AdapterLists& to);
void decode(const Document& from, const Path& at, Findings& findings, Lora& to);
void decode(const Document& from, const Path& at, Findings& findings, ControlInput& to);
void decode(const Document& from, const Path& at, Findings& findings, Upscaler& to);
void decode(const Document& from, const Path& at, Findings& findings, Hires& to);
void decode(const Document& from, const Path& at, Findings& findings, Refiner& to);
void decode(const Document& from, const Path& at, Findings& findings, Interval& to);
void decode(const Document& from, const Path& at, Findings& findings, AttemptError& to);
void decode(const Document& from, const Path& at, Findings& findings, JobAnnouncement& to);
void decode(const Document& from, const Path& at, Findings& findings, std::variant<Accepted, Rejected>& to);
void decode(const Document& from, const Path& at, Findings& findings, WorkerInfo& to);

/// Encoded picture bytes: bin in MessagePack, base64 text (with or without a `data:` prefix) in JSON.
void decode_bytes(const Document& from, const Path& at, Findings& findings, std::string& to);

template <class T>
Document encode(const std::vector<T>& values) {
  Array array;
  array.reserve(values.size());
  for (const T& value : values) array.push_back(encode(value));
  return {std::move(array)};
}

template <class T>
void decode(const Document& from, const Path& at, Findings& findings, std::vector<T>& to) {
  const Array* array = from.get_if<Array>();
  if (array == nullptr) return findings.mistyped(at, "an array", from);
  std::vector<T> values(array->size());
  for (std::size_t i = 0; i < values.size(); ++i) decode((*array)[i], at[i], findings, values[i]);
  to = std::move(values);
}

// --- Objects ---

/// The struct parameter of a field table: written from when writing, filled when reading.
template <class Fields, class T>
using Ref = std::conditional_t<Fields::kReading, T&, const T&>;

class ObjectWriter {
 public:
  static constexpr bool kReading = false;

  template <class T>
  void required(std::string_view key, const T& value) {
    set(key, encode(value));
  }
  template <class T>
  void with_default(std::string_view key, const T& value) {
    set(key, encode(value));
  }
  template <class T>
  void optional(std::string_view key, const std::optional<T>& value) {
    if (value) set(key, encode(*value));
  }
  template <class Tag>
  void unless_empty(std::string_view key, const Id<Tag>& id) {
    if (!id.empty()) set(key, encode(id));
  }
  void bytes(std::string_view key, const std::string& value) { set(key, {Bytes{value}}); }
  /// A field that reading needs not look at: a tag or something derived.
  void derived(std::string_view key, Document value) { set(key, std::move(value)); }

  Document take() { return {std::move(object_)}; }

 private:
  void set(std::string_view key, Document value) { object_.push_back({std::string(key), std::move(value)}); }
  Object object_;
};

class ObjectReader {
 public:
  static constexpr bool kReading = true;

  /// Notes a finding when the document is no object; then every field is skipped.
  ObjectReader(const Document& from, const Path& at, Findings& findings);

  template <class T>
  void required(std::string_view key, T& value) {
    if (const Document* found = member(key, /*needed=*/true)) decode(*found, at_ / key, findings_, value);
  }
  /// Absent or null: the value stays what it is.
  template <class T>
  void with_default(std::string_view key, T& value) {
    if (const Document* found = member(key, /*needed=*/false)) decode(*found, at_ / key, findings_, value);
  }
  template <class T>
  void optional(std::string_view key, std::optional<T>& value) {
    const Document* found = member(key, /*needed=*/false);
    if (found != nullptr) decode(*found, at_ / key, findings_, value.emplace());
  }
  template <class Tag>
  void unless_empty(std::string_view key, Id<Tag>& id) {
    with_default(key, id);
  }
  void bytes(std::string_view key, std::string& value) {
    if (const Document* found = member(key, /*needed=*/true))
      decode_bytes(*found, at_ / key, findings_, value);
  }
  void derived(std::string_view, const Document&) {}

  /// The member, or nullptr when it is absent or null; a needed one is then noted as missing.
  const Document* member(std::string_view key, bool needed);
  [[nodiscard]] const Path& at() const noexcept { return at_; }
  [[nodiscard]] Findings& findings() noexcept { return findings_; }

 private:
  const Object* object_;
  const Path& at_;
  Findings& findings_;
};

template <class T>
Document encode_fields(const T& value) {
  ObjectWriter writer;
  describe(writer, value);
  return writer.take();
}

template <class T>
void decode_fields(const Document& from, const Path& at, Findings& findings, T& to) {
  ObjectReader reader(from, at, findings);
  describe(reader, to);
}

/// Makes `variant` hold the alternative whose name() is `type`, default-built. False when there is none.
template <class Variant>
bool emplace_by_name(std::string_view type, Variant& variant) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto try_one = [&](Variant candidate) {
      if (name(candidate) != type) return false;
      variant = std::move(candidate);
      return true;
    };
    return (try_one(Variant(std::in_place_index<I>)) || ...);
  }
  (std::make_index_sequence<std::variant_size_v<Variant>>{});
}

}  // namespace waggle::codec

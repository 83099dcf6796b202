// What every message has around its fields: `v` and `type`, and for requests and replies `request_id`.
//
// Also the face that both notations share: each message type to and from a document.
#pragma once

#include <string>
#include <string_view>

#include "schemas/codec/document.h"
#include "schemas/codec/fields.h"
#include "schemas/message.h"
#include "schemas/result.h"

namespace waggle::codec {

/// Writes `v` and `type`, which come first in every message.
void seal(ObjectWriter& writer, std::string_view type);

/// The `type` of a message whose `v` this version speaks. Errors: malformed_message (no map), invalid_request
/// (`v` or `type` missing or mistyped), unsupported_version.
Result<std::string> open(const Document& document, Notation notation);

/// The error for a type that nobody knows. Quotes it only when it is short and harmless.
Error unknown_type(std::string_view type);

Document to_document(const Request& value);
Document to_document(const Reply& value);
Document to_document(const Event& value);
Document to_document(const WorkerInfo& value);
Document to_document(const JobAnnouncement& value);
Document to_document(const Control& value);

/// T is one of the types above. Errors as open(); unknown_type; invalid_request with every bad field.
template <class T>
Result<T> from_document(const Document& document, Notation notation);

template <>
Result<Request> from_document(const Document& document, Notation notation);
template <>
Result<Reply> from_document(const Document& document, Notation notation);
template <>
Result<Event> from_document(const Document& document, Notation notation);
template <>
Result<WorkerInfo> from_document(const Document& document, Notation notation);
template <>
Result<JobAnnouncement> from_document(const Document& document, Notation notation);
template <>
Result<Control> from_document(const Document& document, Notation notation);

/// Reads `value` by its field table; the Result is an invalid_request with all findings, or the value.
template <class T>
Result<T> read_whole(const Document& document, Notation notation) {
  Findings findings(notation);
  T value;
  decode(document, Path{}, findings, value);
  if (!findings.empty()) return findings.to_error();
  return value;
}

/// Opens the envelope, then reads `value` (a struct with a tagged body) by the table of its fields and its
/// body.
template <class T, class Body>
Result<T> read_tagged(const Document& document, Notation notation, T value, Body& (*body_of)(T&)) {
  Result<std::string> type = open(document, notation);
  if (!type) return std::move(type).error();
  Body& body = body_of(value);
  if (!emplace_by_name(*type, body)) return unknown_type(*type);
  Findings findings(notation);
  const Path root;
  ObjectReader reader(document, root, findings);
  describe(reader, value);
  std::visit([&](auto& alternative) { describe(reader, alternative); }, body);
  if (!findings.empty()) return findings.to_error();
  return value;
}

/// The document that read_tagged reads.
template <class T, class Body>
Document write_tagged(const T& value, const Body& body) {
  ObjectWriter writer;
  seal(writer, name(body));
  describe(writer, value);
  std::visit([&](const auto& alternative) { describe(writer, alternative); }, body);
  return writer.take();
}

/// Messages of one type only: the envelope, then the struct's own table.
template <class T>
Document write_single(std::string_view type, const T& value) {
  ObjectWriter writer;
  seal(writer, type);
  Document fields = encode(value);
  for (Member& member : std::get<Object>(fields.value)) writer.derived(member.key, std::move(member.value));
  return writer.take();
}

template <class T>
Result<T> read_single(std::string_view wanted, const Document& document, Notation notation) {
  Result<std::string> type = open(document, notation);
  if (!type) return std::move(type).error();
  if (*type != wanted) return unknown_type(*type);
  return read_whole<T>(document, notation);
}

}  // namespace waggle::codec

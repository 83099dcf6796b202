// MessagePack to and from the structs of schemas. The only folder that knows msgpack-c and nlohmann-json is
// this one.
//
// Encoding never fails. Decoding takes hostile bytes: every failure is an Error (malformed_message,
// invalid_request with the path, unsupported_version, unknown_type, payload_too_large), never an exception,
// never an allocation larger than a small multiple of the input. Unknown keys are ignored.
#pragma once

#include <string>
#include <string_view>

#include "schemas/event.h"
#include "schemas/job.h"
#include "schemas/message.h"
#include "schemas/result.h"
#include "schemas/worker_info.h"

namespace waggle::codec {

/// An error as the value of a Result, whose own error it cannot be.
struct ErrorRecord {
  Error error;
  bool operator==(const ErrorRecord&) const = default;
};

std::string to_msgpack(const Request& value);
std::string to_msgpack(const Reply& value);
std::string to_msgpack(const Event& value);
std::string to_msgpack(const WorkerInfo& value);
std::string to_msgpack(const JobAnnouncement& value);
std::string to_msgpack(const Control& value);
/// A stored job request (no envelope type beyond "job"): what the ledger keeps under `job:<id>`.
std::string to_msgpack(const JobRequest& value);
std::string to_msgpack(const Error& value);

/// T is one of the types above.
template <class T>
Result<T> from_msgpack(std::string_view bytes);

template <>
Result<Request> from_msgpack(std::string_view bytes);
template <>
Result<Reply> from_msgpack(std::string_view bytes);
template <>
Result<Event> from_msgpack(std::string_view bytes);
template <>
Result<WorkerInfo> from_msgpack(std::string_view bytes);
template <>
Result<JobAnnouncement> from_msgpack(std::string_view bytes);
template <>
Result<Control> from_msgpack(std::string_view bytes);
template <>
Result<JobRequest> from_msgpack(std::string_view bytes);
template <>
Result<ErrorRecord> from_msgpack(std::string_view bytes);

/// The `request_id` of a request that may be wrong otherwise, so that its refusal finds its way; empty when
/// there is none.
RequestId peek_request_id(std::string_view bytes);

}  // namespace waggle::codec

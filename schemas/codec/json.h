// JSON to and from the structs of schemas: the same names as on the wire, pictures as base64 (RFC 4648) text,
// with or without a `data:` prefix on the way in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schemas/codec/msgpack.h"

namespace waggle::codec {

std::string to_json(const Request& value);
std::string to_json(const Reply& value);
std::string to_json(const Event& value);
std::string to_json(const WorkerInfo& value);
std::string to_json(const JobAnnouncement& value);
std::string to_json(const Control& value);
std::string to_json(const JobRequest& value);
std::string to_json(const JobStatus& value);
std::string to_json(const Error& value);
std::string to_json(const ModelInfo& value);
std::string to_json(const PoolModel& value);
std::string to_json(const std::vector<JobStatus>& values);
std::string to_json(const std::vector<WorkerInfo>& values);
std::string to_json(const std::vector<PoolModel>& values);
std::string to_json(const AdapterLists& value);
std::string to_json(const std::vector<ImageInfo>& values);
std::string to_json(const std::vector<FieldError>& values);

template <class T>
Result<T> from_json(std::string_view text);

template <>
Result<Request> from_json(std::string_view text);
template <>
Result<Reply> from_json(std::string_view text);
template <>
Result<Event> from_json(std::string_view text);
template <>
Result<WorkerInfo> from_json(std::string_view text);
template <>
Result<JobAnnouncement> from_json(std::string_view text);
template <>
Result<Control> from_json(std::string_view text);
template <>
Result<JobRequest> from_json(std::string_view text);
template <>
Result<JobStatus> from_json(std::string_view text);
template <>
Result<ErrorRecord> from_json(std::string_view text);
template <>
Result<ModelInfo> from_json(std::string_view text);

/// A job request read and validated in one go.
Result<JobRequest> parse_job_request(std::string_view text);

}  // namespace waggle::codec

// The error table. One row per code in enumerator order; the switch below makes a missing row a compile
// error.
#include "schemas/error.h"

#include <algorithm>

namespace waggle {

namespace {

// The row of a code, written as a switch so that -Wswitch names an enumerator without one.
constexpr ErrorTraits row(ErrorCode code) noexcept {
  using enum ErrorCode;
  switch (code) {
    case invalid_request:
      return {code, "invalid_request", false, 400};
    case malformed_message:
      return {code, "malformed_message", false, 400};
    case unsupported_version:
      return {code, "unsupported_version", false, 400};
    case unknown_type:
      return {code, "unknown_type", false, 400};
    case payload_too_large:
      return {code, "payload_too_large", false, 413};
    case unsupported_media:
      return {code, "unsupported_media", false, 415};
    case unknown_job:
      return {code, "unknown_job", false, 404};
    case job_expired:
      return {code, "job_expired", false, 410};
    case job_already_ended:
      return {code, "job_already_ended", false, 409};
    case idempotency_conflict:
      return {code, "idempotency_conflict", false, 422};
    case queue_full:
      return {code, "queue_full", true, 503};
    case rate_limited:
      return {code, "rate_limited", true, 429};
    case unknown_model:
      return {code, "unknown_model", false, 404};
    case unknown_worker:
      return {code, "unknown_worker", false, 404};
    case unknown_sampler:
      return {code, "unknown_sampler", false, 400};
    case unknown_adapter:
      return {code, "unknown_adapter", false, 400};
    case model_load_failed:
      return {code, "model_load_failed", true, 500};
    case model_mismatch:
      return {code, "model_mismatch", false, 500};
    case out_of_memory:
      return {code, "out_of_memory", true, 503};
    case device_error:
      return {code, "device_error", true, 500};
    case stalled:
      return {code, "stalled", true, 504};
    case lease_lost:
      return {code, "lease_lost", true, 500};
    case worker_lost:
      return {code, "worker_lost", true, 500};
    case deadline_exceeded:
      return {code, "deadline_exceeded", false, 504};
    case cancelled:
      return {code, "cancelled", false, 409};
    case unavailable:
      return {code, "unavailable", true, 503};
    case unauthorized:
      return {code, "unauthorized", false, 401};
    case not_found:
      return {code, "not_found", false, 404};
    case io_error:
      return {code, "io_error", true, 500};
    case internal:
      return {code, "internal", true, 500};
  }
  return {ErrorCode::internal, "internal", false, 500};
}

constexpr std::size_t kRows = static_cast<std::size_t>(ErrorCode::internal) + 1;

}  // namespace

const std::vector<ErrorTraits>& error_table() {
  static const std::vector<ErrorTraits> table = [] {
    std::vector<ErrorTraits> rows;
    rows.reserve(kRows);
    for (std::size_t i = 0; i < kRows; ++i) rows.push_back(row(static_cast<ErrorCode>(i)));
    return rows;
  }();
  return table;
}

const ErrorTraits& traits(ErrorCode code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return error_table()[std::min(index, kRows - 1)];
}

std::optional<ErrorCode> error_code_from_name(std::string_view name) noexcept {
  for (const ErrorTraits& known : error_table()) {
    if (known.name == name) return known.code;
  }
  return std::nullopt;
}

std::string to_string(const Error& error) {
  std::string line{traits(error.code).name};
  if (!error.message.empty()) line += ": " + error.message;
  if (error.fields.empty()) return line;
  line += " (";
  for (std::size_t i = 0; i < error.fields.size(); ++i) {
    if (i > 0) line += "; ";
    line += error.fields[i].path + ": " + error.fields[i].message;
  }
  return line + ")";
}

}  // namespace waggle

// The error vocabulary: one table of codes with their wire names, whether a retry can help, and the HTTP
// status.
//
// What comes from outside (bytes, files, configuration, Redis, sockets) answers with a Result. This header
// holds the error half; schemas/result.h holds the Result itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waggle {

/// Why something did not work. The wire carries the name, never the number.
enum class ErrorCode : std::uint8_t {
  invalid_request,       ///< a field is missing, mistyped or out of range; `fields` says which
  malformed_message,     ///< bytes that are not MessagePack or JSON of the expected shape
  unsupported_version,   ///< an envelope whose `v` is not 1
  unknown_type,          ///< an envelope whose `type` nobody knows
  payload_too_large,     ///< a body, message or picture over its limit
  unsupported_media,     ///< a picture that is neither PNG, JPEG nor WebP, or is broken
  unknown_job,           ///< no job of that id was ever accepted
  job_expired,           ///< the job existed, its record has been retired
  job_already_ended,     ///< cancel of a job that has ended
  idempotency_conflict,  ///< the same idempotency key with another body
  queue_full,            ///< back-pressure; `retry_after_s` says when to come back
  rate_limited,          ///< too many requests of one client; `retry_after_s`
  unknown_model,         ///< no worker serves it and the operator does not queue for unknown models
  unknown_worker,        ///< the named worker is not in the pool
  unknown_sampler,       ///< no such sampler or schedule
  unknown_adapter,       ///< no such LoRA, ControlNet or VAE file
  model_load_failed,     ///< the model's files are missing, truncated or do not fit together
  model_mismatch,        ///< the files hold another kind of model than was asked for
  out_of_memory,         ///< the job does not fit this device's memory budget
  device_error,          ///< the device failed or is missing
  stalled,               ///< no denoising step for too long, or the attempt took too long
  lease_lost,            ///< the attempt no longer holds the job
  worker_lost,           ///< the worker vanished in mid-job
  deadline_exceeded,     ///< the job's deadline passed
  cancelled,             ///< somebody cancelled it
  unavailable,           ///< the queen or Redis does not answer
  unauthorized,          ///< no valid key or token
  not_found,             ///< no such route or image
  io_error,              ///< a file could not be read or written
  internal,              ///< everything else; details are in the log under the job id
};

/// One row of the error table.
struct ErrorTraits {
  ErrorCode code;
  std::string_view name;  ///< wire name, snake_case, stable
  bool retryable;         ///< whether another attempt (elsewhere or later) may succeed
  int http_status;
};

/// The row of a code. Total: every enumerator has one (an exhaustive switch proves it at compile time).
const ErrorTraits& traits(ErrorCode code) noexcept;

/// The code of a wire name, or nothing.
std::optional<ErrorCode> error_code_from_name(std::string_view name) noexcept;

/// The whole table in enumerator order, for documentation and tests.
const std::vector<ErrorTraits>& error_table();

/// One bad field of a request.
struct FieldError {
  std::string path;     ///< JSON pointer (RFC 6901), e.g. "/loras/0/strength"
  std::string message;  ///< what is wrong and what is allowed, e.g. "must be between 1 and 150, is 0"

  bool operator==(const FieldError&) const = default;
};

/// A failure with everything that may cross the wire. `message` is one short line without paths, stack or
/// prompt.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::vector<FieldError> fields{};
  std::optional<double> retry_after_s{};

  bool operator==(const Error&) const = default;
  [[nodiscard]] bool retryable() const noexcept { return traits(code).retryable; }
};

/// "invalid_request: 2 fields are wrong (/steps: must be ...; /width: ...)": one line for logs and terminals.
std::string to_string(const Error& error);

}  // namespace waggle

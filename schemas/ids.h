// Identifiers as types: a JobId is never passed where a WorkerId is meant.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace waggle {

template <class Tag>
struct Id {
  std::string value;

  Id() = default;
  explicit Id(std::string text) : value(std::move(text)) {}
  auto operator<=>(const Id&) const = default;
  [[nodiscard]] bool empty() const noexcept { return value.empty(); }
};

/// A job: a UUID version 7 in lower case (36 characters), drawn by the queen; sorts by time of admission.
using JobId = Id<struct JobIdTag>;
/// A worker: 1 to 64 characters of [A-Za-z0-9._-], chosen by its operator or drawn at start.
using WorkerId = Id<struct WorkerIdTag>;
/// A request to the queen: 1 to 64 characters of [A-Za-z0-9._-], chosen by the client, echoed in the reply.
using RequestId = Id<struct RequestIdTag>;
/// A stored picture: "sha256:" and 64 lower-case hexadecimal digits of its bytes.
using BlobId = Id<struct BlobIdTag>;
/// An entry of a job's event log: the Redis stream entry id, "<ms>-<seq>"; the event's number everywhere, on
/// SSE too.
using EventId = Id<struct EventIdTag>;

/// Whether the text is a well-formed id of its kind; everything that arrives from outside is asked first.
bool is_valid_job_id(std::string_view text) noexcept;
bool is_valid_worker_id(std::string_view text) noexcept;
bool is_valid_request_id(std::string_view text) noexcept;
bool is_valid_blob_id(std::string_view text) noexcept;
bool is_valid_event_id(std::string_view text) noexcept;

}  // namespace waggle

template <class Tag>
struct std::hash<waggle::Id<Tag>> {
  std::size_t operator()(const waggle::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.value);
  }
};

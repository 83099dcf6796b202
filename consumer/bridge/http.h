// A request and a response as the routes see them: plain structs, so that only the connection knows
// Boost.Beast.
//
// Parses targets and headers that routes ask for. Reads and writes no sockets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/ids.h"

namespace waggle::bridge {

enum class Method { get, head, post, del, options, other };
std::string_view name(Method method) noexcept;  ///< "GET", ..., "" for other

using Fields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  Method method = Method::get;
  std::string path;  ///< percent-decoded, without the query
  Fields query;      ///< decoded, in order
  Fields headers;    ///< names in lower case
  std::string body;
  std::string tenant;                 ///< of its token; empty: whatever the job says
  std::vector<std::string> captures;  ///< what the `{}` of the route's pattern matched

  /// The first of that name (lower case for headers), or nothing.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

/// One job that a stream follows, the last event that its reader has seen (empty: none), and whether that was
/// its end.
struct Followed {
  JobId job;
  EventId after;
  bool ended = false;
};

/// Server-sent events instead of a body. `many` names the job in each event and numbers events for all jobs
/// together.
struct StreamPlan {
  std::vector<Followed> jobs;
  bool many = false;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Fields headers;                    ///< beside Content-Type, Content-Length and Connection
  std::optional<StreamPlan> stream;  ///< set: the connection streams and closes
};

/// Splits "/path?query" and decodes both. False for a target that is not an absolute path or decodes to
/// control characters or broken percent escapes.
[[nodiscard]] bool parse_target(std::string_view target, HttpRequest& request);

/// Whether an If-None-Match value (a list, `*`, weak or strong tags) names this strong ETag.
bool matches_etag(std::string_view if_none_match, std::string_view etag);

/// The media type of a Content-Type value in lower case, without parameters.
std::string media_type_of(std::string_view content_type);

/// Now, as the Date field has it: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date();

/// The standard phrase of a status, e.g. "Not Found"; "" when unknown.
std::string_view reason(int status) noexcept;

}  // namespace waggle::bridge

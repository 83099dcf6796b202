// The route table and what is decided by it alone.
#include "consumer/bridge/routes.h"

#include <algorithm>
#include <array>

#include "consumer/bridge/clients.h"
#include "consumer/bridge/problem.h"

namespace waggle::bridge {
namespace {

constexpr auto kRoutes = std::to_array<Route>({
    {Method::post, "/v1/jobs", submit_job, false, true},
    {Method::get, "/v1/jobs", list_jobs},
    {Method::get, "/v1/jobs/{}", job_status},
    {Method::del, "/v1/jobs/{}", cancel_job},
    {Method::get, "/v1/jobs/{}/stream", stream_job},
    {Method::get, "/v1/jobs/{}/images/{}", job_image},
    {Method::get, "/v1/stream", stream_jobs},
    {Method::get, "/v1/workers", list_workers},
    {Method::get, "/v1/models", list_models},
    {Method::get, "/health", health, true},
    {Method::get, "/ready", ready, true},
    {Method::get, "/metrics", metrics_text},
});

bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& captures) {
  captures.clear();
  while (!pattern.empty() && !path.empty()) {
    // Both begin with '/': compare one segment and go on.
    pattern.remove_prefix(1);
    path.remove_prefix(1);
    const std::string_view want = pattern.substr(0, pattern.find('/'));
    const std::string_view have = path.substr(0, path.find('/'));
    if (want == "{}" && !have.empty()) {
      captures.emplace_back(have);
    } else if (want != have) {
      return false;
    }
    pattern.remove_prefix(want.size());
    path.remove_prefix(have.size());
  }
  return pattern.empty() && path.empty();
}

bool is_json(const HttpRequest& request) {
  const std::string type = media_type_of(request.header("content-type").value_or("application/json"));
  return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

}  // namespace

std::span<const Route> route_table() { return kRoutes; }

Found find_route(HttpRequest& request) {
  Found found;
  const Method wanted = request.method == Method::head ? Method::get : request.method;
  for (const Route& route : kRoutes) {
    std::vector<std::string> captures;
    if (!matches(route.pattern, request.path, captures)) continue;
    if (route.method == wanted) {
      request.captures = std::move(captures);
      found.route = &route;
      return found;
    }
    if (!found.allow.empty()) found.allow += ", ";
    found.allow += name(route.method);
    if (route.method == Method::get) found.allow += ", HEAD";
  }
  return found;
}

std::optional<HttpResponse> refuse(const Settings& settings, const HttpRequest& request, const Found& found) {
  if (!settings.tokens.empty() && !(found.route != nullptr && found.route->open) &&
      token_of(settings, request) == nullptr) {
    return problem(Error{ErrorCode::unauthorized, "a bearer token is needed"});
  }
  if (found.route == nullptr && !found.allow.empty()) {
    HttpResponse response = problem(405, "method_not_allowed", "this path takes " + found.allow);
    response.headers.emplace_back("Allow", found.allow);
    return response;
  }
  if (found.route == nullptr) return problem(Error{ErrorCode::not_found, "no such route"});
  if (found.route->reads_json && !is_json(request)) {
    return problem(Error{ErrorCode::unsupported_media, "the body must be application/json"});
  }
  return std::nullopt;
}

std::optional<HttpResponse> preflight(const Settings& settings, const HttpRequest& request) {
  if (settings.cors_origin.empty() || request.method != Method::options) return std::nullopt;
  HttpResponse response;
  response.status = 204;
  response.content_type.clear();
  response.headers = {{"Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE"},
                      {"Access-Control-Allow-Headers",
                       "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, traceparent"},
                      {"Access-Control-Max-Age", "86400"}};
  return response;
}

}  // namespace waggle::bridge

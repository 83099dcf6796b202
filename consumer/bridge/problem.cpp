// Problem documents. What is in an Error may cross the wire as it is; nothing is added to it here.
#include "consumer/bridge/problem.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

namespace waggle::bridge {
namespace {

HttpResponse render(int status, std::string_view code, std::string_view detail, bool retryable,
                    const std::vector<FieldError>& fields) {
  nlohmann::ordered_json document = {{"type", "about:blank"}, {"title", reason(status)},
                                     {"status", status},      {"detail", detail},
                                     {"code", code},          {"retryable", retryable}};
  for (const FieldError& field : fields) {
    document["errors"].push_back({{"pointer", field.path}, {"detail", field.message}});
  }
  HttpResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  // A detail may quote what the client sent, which need not be UTF-8.
  response.body = document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace

HttpResponse problem(const Error& error) {
  const ErrorTraits& row = traits(error.code);
  HttpResponse response = render(row.http_status, row.name, error.message, row.retryable, error.fields);
  if (error.retry_after_s || row.http_status == 503 || row.http_status == 429) {
    const auto seconds =
        static_cast<long>(std::ceil(std::clamp(error.retry_after_s.value_or(1.0), 1.0, 86400.0)));
    response.headers.emplace_back("Retry-After", std::to_string(seconds));
  }
  if (row.http_status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

HttpResponse problem(int status, std::string_view code, std::string_view detail) {
  HttpResponse response = render(status, code, detail, status == 408 || status == 503, {});
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace waggle::bridge

// Jobs: submit, look, list, cancel. What they are made of is checked by the codec and schemas/validate.h; who
// they run for and where is the queen's affair.
#include <charconv>

#include "consumer/bridge/problem.h"
#include "consumer/bridge/routes.h"
#include "schemas/codec/json.h"
#include "schemas/validate.h"

namespace waggle::bridge {
namespace {

HttpResponse unknown_job() { return problem(Error{ErrorCode::unknown_job, "no such job"}); }

/// The body and the headers that add to it, as one checked request.
Result<JobRequest> read_request(const HttpRequest& http) {
  auto request = codec::from_json<JobRequest>(http.body);
  if (!request) return request;
  if (const auto key = http.header("idempotency-key")) {
    if (request->idempotency_key && *request->idempotency_key != *key) {
      return invalid_request({{"/idempotency_key", "differs from the Idempotency-Key header"}});
    }
    request->idempotency_key = std::string(*key);
  }
  if (!http.tenant.empty()) {
    if (request->tenant && *request->tenant != http.tenant) {
      return invalid_request({{"/tenant", "differs from the token's, which is " + http.tenant}});
    }
    request->tenant = http.tenant;
  }
  if (const auto trace = http.header("traceparent"); trace && !request->traceparent) {
    request->traceparent = std::string(*trace);
  }
  if (auto wrong = validate(*request); !wrong.empty()) return invalid_request(std::move(wrong));
  return request;
}

Result<ListRequest> read_list(const HttpRequest& http) {
  ListRequest list;
  std::vector<FieldError> wrong;
  if (const auto state = http.parameter("state")) {
    list.state = job_state_from_name(*state);
    if (!list.state) {
      wrong.push_back({"/state", "must be queued, running, completed, failed, cancelled, expired or dead"});
    }
  }
  if (const auto limit = http.parameter("limit")) {
    const auto [end, failed] = std::from_chars(limit->data(), limit->data() + limit->size(), list.limit);
    if (failed != std::errc{} || end != limit->data() + limit->size() || list.limit < 1 ||
        list.limit > ledger::kMaxListed) {
      wrong.push_back({"/limit", "must be between 1 and " + std::to_string(ledger::kMaxListed)});
    }
  }
  list.cursor = std::string(http.parameter("cursor").value_or(""));
  if (list.cursor.size() > limits::kMaxIdBytes * 2)
    wrong.push_back({"/cursor", "is not a cursor of this list"});
  if (!wrong.empty()) return invalid_request(std::move(wrong));
  return list;
}

}  // namespace

/// {"operation": "image_generation", "model": "sd15", "prompt": "a bee", ...} -> 202 {"job_id", "sse_url"}
Answer submit_job(Services& services, HttpRequest http) {
  // A body may be 100 MB of base64: parsed on the pool.
  auto read = [http = std::move(http)](ledger::Ledger&) { return read_request(http); };
  auto request = co_await services.pool.call(std::move(read));
  if (!request) co_return problem(request.error());
  RequestBody submit = SubmitRequest{std::move(*request)};
  auto accepted = as<Accepted>(co_await services.bus.ask(std::move(submit)));
  if (!accepted) co_return problem(accepted.error());
  const std::string self = "/v1/jobs/" + accepted->job.value;
  HttpResponse response;
  response.status = 202;
  response.headers = {{"Location", self}, {"Cache-Control", "no-store"}};
  response.body = R"({"job_id":")" + accepted->job.value + R"(","sse_url":")" + self + R"(/stream"})";
  co_return response;
}

Answer job_status(Services& services, HttpRequest http) {
  const JobId job(http.captures[0]);
  if (!is_valid_job_id(job.value)) co_return unknown_job();
  const auto look = [job](ledger::Ledger& ledger) -> Result<std::string> {
    const auto status = ledger.status(job);
    if (!status) return status.error();
    return codec::to_json(*status);
  };
  auto text = co_await services.pool.call(look);
  if (!text) co_return problem(text.error());
  HttpResponse response;
  response.body = std::move(*text);
  response.headers = {{"Cache-Control", "no-store"}};
  co_return response;
}

/// ?state=&limit=&cursor= -> {"jobs": [...], "next_cursor": "..." or null}
Answer list_jobs(Services& services, HttpRequest http) {
  auto query = read_list(http);
  if (!query) co_return problem(query.error());
  const auto look = [query = *query](ledger::Ledger& ledger) -> Result<std::string> {
    const auto page = ledger.list(query);
    if (!page) return page.error();
    // A cursor is made of characters that need no escape in JSON.
    return R"({"jobs":)" + codec::to_json(page->jobs) + R"(,"next_cursor":)" +
           (page->next_cursor.empty() ? "null" : '"' + page->next_cursor + '"') + "}";
  };
  auto text = co_await services.pool.call(look);
  if (!text) co_return problem(text.error());
  HttpResponse response;
  response.body = std::move(*text);
  response.headers = {{"Cache-Control", "no-store"}};
  co_return response;
}

/// 200 when it has ended by this, 202 when a worker has been told and ends it within a step.
Answer cancel_job(Services& services, HttpRequest http) {
  const JobId job(http.captures[0]);
  if (!is_valid_job_id(job.value)) co_return unknown_job();
  RequestBody cancel = CancelRequest{job};
  auto cancelled = as<CancelAccepted>(co_await services.bus.ask(std::move(cancel)));
  if (!cancelled) co_return problem(cancelled.error());
  HttpResponse response;
  response.status = is_terminal(cancelled->state) ? 200 : 202;
  response.body =
      R"({"job_id":")" + job.value + R"(","state":")" + std::string(name(cancelled->state)) + R"("})";
  response.headers = {{"Cache-Control", "no-store"}};
  co_return response;
}

}  // namespace waggle::bridge

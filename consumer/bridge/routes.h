// The routes: one row and one function each. `routes.cpp` is the table; the functions live beside what they
// are about.
//
// A route runs as a coroutine on the event loop and must not block it: Redis through the pool, the queen
// through the bus.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "consumer/bridge/asio.h"
#include "consumer/bridge/bus_link.h"
#include "consumer/bridge/http.h"
#include "consumer/bridge/ledger_pool.h"
#include "consumer/bridge/metrics.h"
#include "consumer/bridge/settings.h"
#include "consumer/bridge/stream_hub.h"
#include "consumer/program/rate_limiter.h"

namespace waggle::bridge {

/// What the routes work with; owned by the Server.
struct Services {
  const Settings& settings;
  LedgerPool& pool;
  BusLink& bus;
  StreamHub& hub;
  Metrics& metrics;
  program::RateLimiter& limiter;
};

using Answer = asio::awaitable<HttpResponse>;

struct Route {
  Method method;
  std::string_view pattern;  ///< `{}` stands for one segment
  Answer (*handle)(Services&, HttpRequest);
  bool open = false;        ///< answers without a token
  bool reads_json = false;  ///< takes a body of application/json
};
std::span<const Route> route_table();

/// The route of a request, with its captures filled in; a HEAD request finds the GET route.
struct Found {
  const Route* route = nullptr;
  std::string allow;  ///< without a route: the methods that this path has; empty for no such path
};
Found find_route(HttpRequest& request);

/// What can be refused before a body is read: no route, wrong method, no token, wrong media type. Nothing
/// when it may go on.
std::optional<HttpResponse> refuse(const Settings& settings, const HttpRequest& request, const Found& found);

/// The answer to a preflight, when the settings allow other origins.
std::optional<HttpResponse> preflight(const Settings& settings, const HttpRequest& request);

// jobs_routes.cpp
Answer submit_job(Services&, HttpRequest);
Answer job_status(Services&, HttpRequest);
Answer list_jobs(Services&, HttpRequest);
Answer cancel_job(Services&, HttpRequest);
// result_routes.cpp
Answer job_image(Services&, HttpRequest);
Answer stream_job(Services&, HttpRequest);
Answer stream_jobs(Services&, HttpRequest);
// pool_routes.cpp
Answer list_workers(Services&, HttpRequest);
Answer list_models(Services&, HttpRequest);
Answer health(Services&, HttpRequest);
Answer ready(Services&, HttpRequest);
Answer metrics_text(Services&, HttpRequest);

}  // namespace waggle::bridge

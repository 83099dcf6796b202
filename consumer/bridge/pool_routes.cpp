// The pool and the bridge itself: workers, models, liveness, readiness, metrics.
#include "consumer/bridge/problem.h"
#include "consumer/bridge/routes.h"
#include "schemas/codec/json.h"

namespace waggle::bridge {
namespace {

constexpr std::chrono::milliseconds kProbe{1000};

HttpResponse uncached(std::string body) {
  HttpResponse response;
  response.body = std::move(body);
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

}  // namespace

/// {"workers": [...]}
Answer list_workers(Services& services, HttpRequest) {
  const auto look = [](ledger::Ledger& ledger) { return ledger.workers(); };
  auto workers = co_await services.pool.call(look);
  if (!workers) co_return problem(workers.error());
  co_return uncached(R"({"workers":)" + codec::to_json(*workers) + "}");
}

/// {"models": [...], "adapters": {...}}
Answer list_models(Services& services, HttpRequest) {
  const RequestBody request = ModelsRequest{};
  auto models = as<ModelsReply>(co_await services.bus.ask(request));
  if (!models) co_return problem(models.error());
  co_return uncached(R"({"models":)" + codec::to_json(models->models) + R"(,"adapters":)" +
                     codec::to_json(models->adapters) + "}");
}

/// This process answers; says nothing about others, so that their failure does not get it restarted.
Answer health(Services&, HttpRequest) { co_return uncached(R"({"status":"ok"})"); }

/// A queen and Redis answer: requests may be sent here.
Answer ready(Services& services, HttpRequest) {
  const auto ping = [](ledger::Ledger& ledger) { return ledger.ping(); };
  const RequestBody request = StatsRequest{};
  const auto redis = co_await services.pool.call(ping);
  const auto queen = co_await services.bus.ask(request, kProbe);
  const bool good = redis.has_value() && queen.has_value();
  const auto word = [](bool answers) {
    return answers ? std::string(R"("ok")") : std::string(R"("unavailable")");
  };
  HttpResponse response =
      uncached(std::string(R"({"status":")") + (good ? "ready" : "unavailable") + R"(","redis":)" +
               word(redis.has_value()) + R"(,"queen":)" + word(queen.has_value()) + "}");
  response.status = good ? 200 : 503;
  if (!good) response.headers.emplace_back("Retry-After", "1");
  co_return response;
}

Answer metrics_text(Services& services, HttpRequest) {
  const RequestBody request = StatsRequest{};
  const auto stats = as<StatsReply>(co_await services.bus.ask(request, kProbe));
  if (stats) services.metrics.queue(*stats);
  services.metrics.channels(services.hub.channels());
  services.metrics.malformed(services.bus.malformed());
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = services.metrics.text();
  co_return response;
}

}  // namespace waggle::bridge

// The metrics themselves, kept in a prometheus-cpp registry.
#include "consumer/bridge/metrics.h"

#include <map>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace waggle::bridge {

struct Metrics::Impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("waggle_bridge_requests_total")
                                                          .Help("HTTP requests answered")
                                                          .Register(registry);
  prometheus::Family<prometheus::Histogram>& seconds = prometheus::BuildHistogram()
                                                           .Name("waggle_bridge_request_seconds")
                                                           .Help("From the end of the header to the answer")
                                                           .Register(registry);
  prometheus::Family<prometheus::Gauge>& open = prometheus::BuildGauge()
                                                    .Name("waggle_bridge_open")
                                                    .Help("Connections, streams and followed jobs now")
                                                    .Register(registry);
  prometheus::Gauge& connections = open.Add({{"what", "connections"}});
  prometheus::Gauge& streams = open.Add({{"what", "streams"}});
  prometheus::Gauge& channels = open.Add({{"what", "jobs"}});
  prometheus::Counter& events = prometheus::BuildCounter()
                                    .Name("waggle_bridge_sse_events_total")
                                    .Help("Server-sent events written")
                                    .Register(registry)
                                    .Add({});
  prometheus::Family<prometheus::Gauge>& jobs =
      prometheus::BuildGauge().Name("waggle_jobs").Help("Jobs in the ledger by state").Register(registry);
  prometheus::Family<prometheus::Gauge>& workers =
      prometheus::BuildGauge().Name("waggle_workers").Help("Workers in the pool").Register(registry);
  prometheus::Family<prometheus::Gauge>& bytes =
      prometheus::BuildGauge()
          .Name("waggle_bytes")
          .Help("Kept in the ledger: of jobs that have not ended, of images")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& evicted = prometheus::BuildGauge()
                                                       .Name("waggle_images_evicted_total")
                                                       .Help("Images that the byte budget took")
                                                       .Register(registry);
  prometheus::Family<prometheus::Gauge>& paused =
      prometheus::BuildGauge().Name("waggle_model_paused").Help("1: nobody claims it").Register(registry);
  std::map<std::string, prometheus::Gauge*> paused_models;
  prometheus::Family<prometheus::Gauge>& dropped =
      prometheus::BuildGauge()
          .Name("waggle_queen_dropped_total")
          .Help("Garbage and too many requests, since the queen's start")
          .Register(registry);
  prometheus::Gauge& malformed = prometheus::BuildGauge()
                                     .Name("waggle_bridge_malformed_total")
                                     .Help("Garbage from queens")
                                     .Register(registry)
                                     .Add({});
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::answered(std::string_view route, std::string_view method, int status,
                       std::chrono::duration<double> took) {
  const std::string path(route);
  impl_->requests.Add({{"route", path}, {"method", std::string(method)}, {"status", std::to_string(status)}})
      .Increment();
  static const prometheus::Histogram::BucketBoundaries buckets{0.001, 0.005, 0.02, 0.1, 0.5, 2, 10};
  impl_->seconds.Add({{"route", path}}, buckets).Observe(took.count());
}

void Metrics::connections(std::size_t open) { impl_->connections.Set(static_cast<double>(open)); }
void Metrics::streams(std::size_t open) { impl_->streams.Set(static_cast<double>(open)); }
void Metrics::channels(std::size_t open) { impl_->channels.Set(static_cast<double>(open)); }
void Metrics::sent_events(std::size_t count) { impl_->events.Increment(static_cast<double>(count)); }

void Metrics::queue(const StatsReply& stats) {
  const auto set = [this](const char* state, std::int64_t count) {
    impl_->jobs.Add({{"state", state}}).Set(static_cast<double>(count));
  };
  set("queued", stats.queued);
  set("running", stats.running);
  set("completed", stats.completed);
  set("failed", stats.failed);
  set("cancelled", stats.cancelled);
  set("expired", stats.expired);
  set("dead", stats.dead);
  impl_->workers.Add({}).Set(static_cast<double>(stats.workers));
  impl_->bytes.Add({{"what", "queued"}}).Set(static_cast<double>(stats.queued_bytes));
  impl_->bytes.Add({{"what", "images"}}).Set(static_cast<double>(stats.image_bytes));
  impl_->evicted.Add({}).Set(static_cast<double>(stats.images_evicted));
  // One that was resumed goes on being shown, as 0.
  for (auto& [model, gauge] : impl_->paused_models) gauge->Set(0);
  for (const std::string& model : stats.paused) {
    prometheus::Gauge*& gauge = impl_->paused_models[model];
    if (gauge == nullptr) gauge = &impl_->paused.Add({{"model", model}});
    gauge->Set(1);
  }
  const auto dropped = [&](const char* what, std::int64_t count) {
    impl_->dropped.Add({{"queen", stats.queen}, {"what", what}}).Set(static_cast<double>(count));
  };
  dropped("requests", stats.malformed_messages);
  dropped("events", stats.malformed_events);
  dropped("subscriptions", stats.malformed_subscriptions);
  dropped("rate_limited", stats.rate_limited);
}

void Metrics::malformed(std::uint64_t count) { impl_->malformed.Set(static_cast<double>(count)); }

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace waggle::bridge

// The queen's flags.
#include "consumer/queen/options.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace waggle::queen {
namespace {

std::string host_name() {
  char host[65] = {};
  return gethostname(host, sizeof host - 1) == 0 ? host : "localhost";
}

}  // namespace

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--requests", flags.listen.requests, "Endpoint for requests")->capture_default_str();
  app.add_option("--publish", flags.listen.publish, "Endpoint that publishes jobs, events and heartbeats")
      ->capture_default_str();
  app.add_option("--collect", flags.listen.collect, "Endpoint that workers publish to")
      ->capture_default_str();
  app.add_option("--redis-url,--redis", flags.redis_url,
                 "redis://[user:password@]host[:port][/db], unix:///path, or "
                 "redis-sentinel://[user:password@]host[:port],...[/db]?master=name")
      ->capture_default_str();
  app.add_option("--redis-prefix", flags.redis_prefix, "Before the name of every key in Redis")
      ->capture_default_str();
  app.add_option("--lease", flags.lease_s, "Seconds that a claimed job stays with a silent worker")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--max-queued", flags.max_queued, "Jobs that may wait before new ones are rejected")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--max-queued-bytes", flags.max_queued_bytes,
                 "Bytes of requests and pictures of jobs that have not ended (2GB) before new ones are "
                 "rejected; 0: any")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  app.add_option("--keep-jobs", flags.keep_jobs_h, "Hours that an ended job is kept")
      ->check(CLI::Range(0.001, 8760.0))
      ->capture_default_str();
  app.add_option("--keep-images", flags.keep_images_h,
                 "Hours that its images are kept; 0: as long as the job")
      ->check(CLI::Range(0.0, 8760.0))
      ->capture_default_str();
  app.add_option("--max-image-bytes", flags.max_image_bytes,
                 "Bytes of images of ended jobs (20GB) above which the oldest go first; 0: any")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  app.add_option("--rate-limit", flags.rate_limit,
                 "Requests a second of one client, each job counting as one; 0: any")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--rate-burst", flags.rate_burst,
                 "Requests that a client may send at once; 0: those of ten seconds")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--allow-unknown-models", flags.allow_unknown_models,
               "Queue jobs for models that no worker serves");
  app.add_flag("--insecure-bind", flags.insecure_bind, "Listen beyond loopback without CURVE keys");
  program::add_server_key_flags(app, flags.keys);
}

bool is_loopback(std::string_view endpoint) noexcept {
  if (endpoint.starts_with("ipc://") || endpoint.starts_with("inproc://")) return true;
  constexpr std::string_view kTcp = "tcp://";
  if (!endpoint.starts_with(kTcp)) return false;
  endpoint.remove_prefix(kTcp.size());
  const auto colon = endpoint.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view host = endpoint.substr(0, colon);
  // "127.evil.example" is a name, not an address.
  const bool in_127 =
      host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return in_127 || host == "localhost" || host == "[::1]" || host == "lo";
}

Result<Options> read(const Flags& flags) {
  Options options;
  options.listen = flags.listen;
  options.allow_unknown_models = flags.allow_unknown_models;
  auto redis = ledger::parse_redis_url(flags.redis_url);
  if (!redis) return std::move(redis).error();
  options.redis = std::move(redis).value();
  options.redis.prefix = flags.redis_prefix;
  // A client waits for its answer, and a stop for the request in hand: better `unavailable` soon than a reply
  // late.
  options.redis.connect_timeout = std::chrono::milliseconds(500);
  options.redis.command_timeout = std::chrono::milliseconds(2000);
  auto security = program::read_keys(flags.keys);
  if (!security) return std::move(security).error();
  options.security = std::move(security).value();
  options.policy.max_queued = flags.max_queued;
  options.policy.max_queued_bytes = flags.max_queued_bytes;
  options.policy.max_image_bytes = flags.max_image_bytes;
  options.rate_limit = flags.rate_limit;
  options.rate_burst = std::max(1.0, flags.rate_burst > 0 ? flags.rate_burst : 10 * flags.rate_limit);
  options.name = host_name() + " " + flags.listen.requests;
  options.policy.lease = std::chrono::milliseconds(static_cast<std::int64_t>(flags.lease_s * 1000));
  // An expired lease is found before another one's time has passed.
  options.reap_every = std::min(options.reap_every, options.policy.lease / 6);
  options.policy.job_ttl = std::chrono::seconds(static_cast<std::int64_t>(flags.keep_jobs_h * 3600));
  // Images are found by their job's record, so they do not outlive it.
  const double image_h =
      flags.keep_images_h > 0 ? std::min(flags.keep_images_h, flags.keep_jobs_h) : flags.keep_jobs_h;
  options.policy.image_ttl = std::chrono::seconds(static_cast<std::int64_t>(image_h * 3600));
  if (!options.security && !flags.insecure_bind) {
    for (const auto& endpoint : {flags.listen.requests, flags.listen.publish, flags.listen.collect}) {
      if (!is_loopback(endpoint)) {
        return Error{
            ErrorCode::invalid_request,
            endpoint + " is open to the network: give --curve-key and --curve-allow, or --insecure-bind"};
      }
    }
  }
  return options;
}

}  // namespace waggle::queen

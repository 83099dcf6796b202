// The queen's flags.
#include "consumer/queen/options.h"

#include <algorithm>

#include <CLI/CLI.hpp>

namespace waggle::queen {

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--requests", flags.listen.requests, "Endpoint for requests")->capture_default_str();
  app.add_option("--publish", flags.listen.publish, "Endpoint that publishes jobs, events and heartbeats")
      ->capture_default_str();
  app.add_option("--collect", flags.listen.collect, "Endpoint that workers publish to")
      ->capture_default_str();
  app.add_option("--redis-url,--redis", flags.redis_url,
                 "redis://[user:password@]host[:port][/db] or unix:///path")
      ->capture_default_str();
  app.add_option("--redis-prefix", flags.redis_prefix, "Before the name of every key in Redis")
      ->capture_default_str();
  app.add_option("--lease", flags.lease_s, "Seconds that a claimed job stays with a silent worker")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--max-queued", flags.max_queued, "Jobs that may wait before new ones are rejected")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--keep-jobs", flags.keep_jobs_h, "Hours that an ended job and its images are kept")
      ->check(CLI::Range(0.01, 8760.0))
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
  options.policy.lease = std::chrono::milliseconds(static_cast<std::int64_t>(flags.lease_s * 1000));
  // An expired lease is found before another one's time has passed.
  options.reap_every = std::min(options.reap_every, options.policy.lease / 3);
  options.policy.job_ttl = std::chrono::seconds(static_cast<std::int64_t>(flags.keep_jobs_h * 3600));
  options.policy.image_ttl = options.policy.job_ttl;
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

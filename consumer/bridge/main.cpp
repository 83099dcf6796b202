// waggle-bridge: HTTP and server-sent events to and from the queue.
#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "consumer/bridge/server.h"
#include "consumer/program/key_files.h"
#include "consumer/program/program.h"
#include "consumer/program/queens.h"
#include "consumer/program/stop_signal.h"
#include "schemas/ids.h"

namespace {

using namespace waggle;

constexpr double kOpenRateLimit = 100;  // beyond loopback, where a program that runs wild may be anybody's

struct Flags {
  std::string listen = "127.0.0.1:8080";
  std::vector<std::string> connect;
  std::string redis_url = "redis://127.0.0.1:6379";
  std::string redis_prefix = "waggle:";
  std::string token_file;
  bool insecure_bind = false;
  std::optional<double> rate_limit;
  double rate_burst = 0;
  program::KeyFiles keys;
};

void add_flags(CLI::App& app, Flags& flags, bridge::Settings& settings) {
  app.add_option("--listen", flags.listen, "HOST:PORT; port 0 takes a free one")->capture_default_str();
  program::add_connect_flag(app, flags.connect);
  app.add_option("--redis-url,--redis", flags.redis_url,
                 "redis://[user:password@]host[:port][/db], unix:///path, or "
                 "redis-sentinel://[user:password@]host[:port],...[/db]?master=name")
      ->capture_default_str();
  app.add_option("--redis-prefix", flags.redis_prefix, "Before the name of every key in Redis")
      ->capture_default_str();
  app.add_option(
         "--token-file", flags.token_file,
         "File of bearer tokens, one a line, perhaps followed by its tenant; clients need one of them")
      ->check(CLI::ExistingFile);
  app.add_option("--cors", settings.cors_origin, "Origin whose pages may call, or *");
  app.add_option("--max-body", settings.max_body_bytes, "Bytes of one request's body")
      ->check(CLI::Range(std::size_t{1024}, limits::kMaxBodyBytes))
      ->capture_default_str();
  app.add_option("--max-connections", settings.max_connections, "Connections at once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--max-streams", settings.max_streams, "Event streams at once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option(
         "--rate-limit", flags.rate_limit,
         "POST and DELETE requests a second of one client, known by its token, else by its address; 0: "
         "any (when absent: any on loopback, else 100)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--rate-burst", flags.rate_burst,
                 "Such requests that a client may send at once; 0: those of ten seconds")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--behind-proxy", settings.behind_proxy,
               "Take a client's address from the last entry of X-Forwarded-For");
  app.add_flag("--insecure-bind", flags.insecure_bind, "Listen beyond loopback without tokens");
  program::add_client_key_flags(app, flags.keys);
}

Error wrong(std::string message) { return {ErrorCode::invalid_request, std::move(message)}; }

/// "host:port" or "[v6]:port".
Status read_listen(const std::string& text, bridge::Settings& settings) {
  const std::size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(port) > 65535) {
    return wrong("--listen wants HOST:PORT, not " + text);
  }
  settings.host = text.substr(0, colon);
  if (settings.host.starts_with('[') && settings.host.ends_with(']')) {
    settings.host = settings.host.substr(1, settings.host.size() - 2);
  }
  settings.port = std::stoi(port);
  return Done{};
}

/// "TOKEN" or "TOKEN TENANT". Empty lines and those that begin with '#' are skipped.
Status read_tokens(const std::string& path, bridge::Settings& settings) {
  if (path.empty()) return Done{};
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    bridge::Token token;
    std::string more;
    if (!(words >> token.secret) || token.secret.starts_with('#')) continue;
    words >> token.tenant >> more;
    if (!more.empty() || (!token.tenant.empty() && !is_valid_worker_id(token.tenant))) {
      return wrong("--token-file " + path +
                   ": a line is TOKEN or TOKEN TENANT, a tenant 1 to 64 characters "
                   "of A-Z a-z 0-9 . _ -");
    }
    settings.tokens.push_back(std::move(token));
  }
  if (settings.tokens.empty()) return wrong("--token-file " + path + " holds no token");
  return Done{};
}

Status read(const Flags& flags, bridge::Settings& settings) {
  if (Status good = read_listen(flags.listen, settings); !good) return good;
  settings.rate_limit = flags.rate_limit.value_or(bridge::is_loopback(settings.host) ? 0 : kOpenRateLimit);
  settings.rate_burst = std::max(1.0, flags.rate_burst > 0 ? flags.rate_burst : 10 * settings.rate_limit);
  if (Status good = read_tokens(flags.token_file, settings); !good) return good;
  if (settings.tokens.empty() && !flags.insecure_bind && !bridge::is_loopback(settings.host)) {
    return wrong(settings.host + " is open to the network: give --token-file, or --insecure-bind");
  }
  const auto queens = program::parse_queens(flags.connect);
  if (!queens) return queens.error();
  settings.requests = program::each(*queens, &bus::Endpoints::requests);
  settings.events = program::each(*queens, &bus::Endpoints::publish);
  auto redis = ledger::parse_redis_url(flags.redis_url);
  if (!redis) return redis.error();
  settings.redis = std::move(*redis);
  settings.redis.prefix = flags.redis_prefix;
  // A client waits for its answer, and a stop for the call in hand: better `unavailable` soon than a late
  // reply.
  settings.redis.connect_timeout = std::chrono::milliseconds(500);
  settings.redis.command_timeout = std::chrono::milliseconds(2000);
  auto security = program::read_keys(flags.keys);
  if (!security) return security.error();
  settings.security = std::move(*security);
  return Done{};
}

}  // namespace

int main(int argc, char** argv) {
  program::Program frame("waggle-bridge", "HTTP and server-sent events to and from the queue.");
  Flags flags;
  bridge::Settings settings;
  add_flags(frame.flags(), flags, settings);
  frame.set_examples(
      "  waggle-bridge --listen 127.0.0.1:8080\n"
      "  waggle-bridge --listen 0.0.0.0:8080 --token-file /etc/waggle/tokens --cors https://example.org\n");
  return frame.run(argc, argv, [&] {
    if (const Status good = read(flags, settings); !good) {
      spdlog::error("{}", good.error().message);
      return static_cast<int>(program::kUsage);
    }
    program::StopSignal stop;
    bridge::Server server(settings);
    server.stop_when_readable(stop.descriptor());
    spdlog::info("listening on {}", server.url());
    server.run();
    spdlog::info("stopped");
    return static_cast<int>(program::kOk);
  });
}

// waggle-bridge: HTTP and server-sent events to and from the queue.
#include <fstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "consumer/bridge/server.h"
#include "consumer/program/key_files.h"
#include "consumer/program/program.h"
#include "consumer/program/queens.h"
#include "consumer/program/stop_signal.h"

namespace {

using namespace waggle;

struct Flags {
  std::string listen = "127.0.0.1:8080";
  std::vector<std::string> connect;
  std::string redis_url = "redis://127.0.0.1:6379";
  std::string redis_prefix = "waggle:";
  std::string token_file;
  bool insecure_bind = false;
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
  app.add_option("--token-file", flags.token_file,
                 "File of bearer tokens, one a line; clients need one of them")
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

/// Empty lines and those that begin with '#' are skipped.
Status read_tokens(const std::string& path, bridge::Settings& settings) {
  if (path.empty()) return Done{};
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty() && line.front() != '#') settings.tokens.push_back(line);
  }
  if (settings.tokens.empty()) return wrong("--token-file " + path + " holds no token");
  return Done{};
}

Status read(const Flags& flags, bridge::Settings& settings) {
  if (Status good = read_listen(flags.listen, settings); !good) return good;
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

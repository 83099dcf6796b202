// Requests over the bus, with errors that name the endpoint and what to do next.
#include "consumer/cli/hive.h"

#include <cstdio>
#include <random>
#include <utility>

#include <CLI/CLI.hpp>

#include "consumer/bus/topics.h"
#include "consumer/program/queens.h"
#include "schemas/codec/json.h"
#include "schemas/codec/msgpack.h"

namespace waggle::cli {

namespace {

using Clock = std::chrono::steady_clock;

RequestId draw_request_id() {
  std::random_device random;
  char text[32];
  std::snprintf(text, sizeof text, "cli-%08x%08x", random(), random());
  return RequestId(text);
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

}  // namespace

void add_hive_flags(CLI::App& app, HiveFlags& flags) {
  program::add_connect_flag(app, flags.connect);
  app.add_option(
         "--redis-url,--redis", flags.redis_url,
         "The ledger: redis://host:port/db, unix:///path or redis-sentinel://host:port,.../db?master=name")
      ->type_name("URL")
      ->capture_default_str();
  app.add_option("--redis-prefix", flags.redis_prefix, "Before the name of every key in Redis")
      ->type_name("TEXT")
      ->capture_default_str();
  app.add_option("--timeout", flags.timeout_s, "Seconds to wait for an answer")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  app.add_flag("--json", flags.json, "Print JSON, as PROTOCOL.md describes it, one document a line");
  program::add_client_key_flags(app, flags.keys);
}

Result<std::unique_ptr<Hive>> Hive::open(const HiveFlags& flags) {
  auto queens = program::parse_queens(flags.connect);
  if (!queens) return queens.error();
  auto redis = ledger::parse_redis_url(flags.redis_url);
  if (!redis) return Error{ErrorCode::invalid_request, "--redis-url: " + redis.error().message};
  redis->prefix = flags.redis_prefix;
  auto security = program::read_keys(flags.keys);
  if (!security) return security.error();
  return std::unique_ptr<Hive>(new Hive(std::move(queens).value(),
                                        std::chrono::duration<double>(flags.timeout_s),
                                        std::move(redis).value(), std::move(security).value()));
}

Hive::Hive(std::vector<bus::Endpoints> queens, std::chrono::duration<double> timeout, ledger::Options redis,
           std::optional<bus::Security> security)
    : queens_(std::move(queens)),
      timeout_(timeout),
      context_(std::move(security)),
      client_(context_, program::each(queens_, &bus::Endpoints::requests)),
      ledger_(std::move(redis)) {}

Result<Reply> Hive::ask(RequestBody body) {
  const Error nobody{ErrorCode::unavailable, "no queen answers at " +
                                                 joined(program::each(queens_, &bus::Endpoints::requests)) +
                                                 "; start one with `waggle up` or name it with --connect"};
  const Request request{draw_request_id(), std::move(body)};
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(timeout_);
  const std::string payload = codec::to_msgpack(request);
  // A request that no queen took may be sent again; one that was taken may not, it could be a second job.
  for (auto sent = client_.send(payload); !sent; sent = client_.send(payload)) {
    if (sent.error().code != ErrorCode::unavailable) return sent.error();
    if (Clock::now() >= deadline) return nobody;
  }
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return nobody;
    const auto answer = client_.receive(left);
    if (!answer) continue;
    auto reply = codec::from_msgpack<Reply>(*answer);
    if (!reply) return reply.error();
    if (reply->id != request.id) continue;
    if (const auto* rejected = std::get_if<Rejected>(&reply->body)) return rejected->error;
    return reply;
  }
}

std::unique_ptr<bus::Subscriber> Hive::hints() {
  return std::make_unique<bus::Subscriber>(context_, program::each(queens_, &bus::Endpoints::publish));
}

std::unique_ptr<bus::Subscriber> Hive::hints(const JobId& job) {
  auto subscriber = hints();
  subscriber->subscribe(bus::events_topic(job));
  return subscriber;
}

ExitCode query(const Terminal& terminal, const HiveFlags& flags, RequestBody body,
               const std::function<void(const ReplyBody&)>& print) {
  auto hive = Hive::open(flags);
  if (!hive) return fail(terminal, hive.error());
  auto reply = (*hive)->ask(std::move(body));
  if (!reply) return fail(terminal, reply.error());
  if (flags.json) {
    std::printf("%s\n", codec::to_json(*reply).c_str());
  } else {
    print(reply->body);
  }
  return ExitCode::ok;
}

Result<JobId> parse_job_id(const std::string& text) {
  if (is_valid_job_id(text)) return JobId(text);
  return Error{ErrorCode::invalid_request,
               "JOB must be a job id as `waggle submit` prints it (36 characters), is \"" + text + "\""};
}

}  // namespace waggle::cli

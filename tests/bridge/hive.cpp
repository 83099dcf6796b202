// The parts are put together as their programs put them together, on ports that the kernel chooses.
#include "tests/bridge/hive.h"

#include <stdexcept>

#include "consumer/bus/topics.h"
#include "schemas/codec/msgpack.h"

namespace waggle::testing {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
  return std::move(result).value();
}

}  // namespace

Hive::Hive(bridge::Settings settings, ledger::Policy policy, double rate_limit)
    : policy_(policy), ledger_(redis_.options()), settings_(std::move(settings)) {
  queen::Options options;
  options.listen = {"tcp://127.0.0.1:*", "tcp://127.0.0.1:*", "tcp://127.0.0.1:*"};
  options.redis = redis_.options();
  options.policy = policy;
  options.allow_unknown_models = true;
  options.rate_limit = rate_limit;
  options.rate_burst = 1;
  options.name = "hive-1";
  queen_ = std::make_unique<queen::Queen>(options);
  const bus::Endpoints at = queen_->endpoints();
  queen_thread_ = std::thread([this] { queen_->run([this] { return stop_queen_.load(); }); });
  settings_.port = 0;
  settings_.requests = {at.requests};
  settings_.events = {at.publish};
  settings_.redis = redis_.options();
  settings_.redis.command_timeout = std::chrono::milliseconds(2000);
  publisher_ = std::make_unique<bus::Publisher>(context_, std::vector<std::string>{at.collect});
  start_bridge();
}

Hive::~Hive() {
  stop_bridge();
  stop_queen();
}

void Hive::start_bridge() {
  bridge_ = std::make_unique<bridge::Server>(settings_);
  bridge_thread_ = std::thread([this] { bridge_->run(); });
}

void Hive::stop_bridge() {
  if (!bridge_thread_.joinable()) return;
  bridge_->stop();
  bridge_thread_.join();
}

void Hive::replace_bridge() {
  stop_bridge();
  bridge_.reset();
  start_bridge();
}

void Hive::stop_queen() {
  stop_queen_ = true;
  if (queen_thread_.joinable()) queen_thread_.join();
  queen_.reset();
}

std::string Hive::submit(const std::string& more_fields) {
  const HttpReply reply = client().ask("POST", "/v1/jobs", job_body(more_fields));
  if (reply.status != 202) throw std::runtime_error("not accepted: " + reply.body);
  return nlohmann::json::parse(reply.body).at("job_id");
}

ledger::Lease Hive::claim() {
  ledger::ClaimQuery query;
  query.worker = WorkerId("tester");
  query.models = {"sd15"};
  auto claimed = must(ledger_.claim(query, policy_));
  if (claimed.empty()) throw std::runtime_error("nothing to claim");
  publish(claimed.front().started);
  return claimed.front().lease;
}

void Hive::publish(const Event& event) {
  publisher_->send(bus::events_topic(event.job), codec::to_msgpack(event));
}

EventId Hive::say(const ledger::Lease& lease, EventBody body) {
  Event event;
  event.job = lease.job;
  event.attempt = lease.attempt;
  event.body = std::move(body);
  EventId id = must(ledger_.append(lease, event, policy_));
  publish(event);
  return id;
}

EventId Hive::progress(const ledger::Lease& lease, int step, int total) {
  return say(lease, ProgressEvent{step, total, 100.0 * step / total});
}

EventId Hive::preview(const ledger::Lease& lease, int step, std::size_t bytes) {
  return say(lease, PreviewEvent{step, 1000, 0, OutputFormat::jpeg, std::string(bytes, 'p')});
}

void Hive::commit(const ledger::Lease& lease, int index, const std::string& bytes) {
  const ImageInfo info{index, 42 + index, OutputFormat::png, 64, 64, std::ssize(bytes)};
  must(ledger_.commit_image(lease, info, bytes, policy_));
}

void Hive::finish(const ledger::Lease& lease, EventBody body) {
  Event event;
  event.job = lease.job;
  event.attempt = lease.attempt;
  event.body = std::move(body);
  must(ledger_.finish(lease, event, policy_));
  publish(event);
}

void Hive::complete(const ledger::Lease& lease, const std::string& image) {
  commit(lease, 0, image);
  CompletedEvent end;
  end.images = {ImageInfo{0, 42, OutputFormat::png, 64, 64, std::ssize(image)}};
  end.seed = 42;
  finish(lease, end);
}

std::string job_body(const std::string& more_fields) {
  return R"({"operation":"image_generation","model":"sd15","prompt":"a bee")" + more_fields + "}";
}

std::vector<SseEvent> read_stream(HttpClient& client) {
  std::vector<SseEvent> events;
  while (auto event = client.next_event()) events.push_back(std::move(*event));
  return events;
}

}  // namespace waggle::testing

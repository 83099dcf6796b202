// Workers in process while Redis is away: frozen or killed, for longer than a lease. And what a worker does
// to get away from it.
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/ledger/redis_sentinels.h"
#include "tests/worker/crew.h"

namespace waggle::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// So short that an outage of four seconds is as a minute to one of 15 s. As long a worker has, when Redis is
/// back, to say what happened meanwhile.
constexpr auto kLease = 1000ms;

worker::Settings short_lease(const Hive& hive) {
  auto settings = worker_settings(hive, "w1");
  settings.policy.lease = kLease;
  return settings;
}
void with_short_lease(queen::Options& options) { options.policy.lease = kLease; }

/// How long a worker takes to leave with the process' usual times, once it is told to.
double seconds_to_leave(std::unique_ptr<Crew>& crew, int signals) {
  const auto start = Clock::now();
  for (int i = 0; i < signals; ++i) crew->ask_to_stop();
  crew.reset();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// As a worker is started by its program.
worker::Settings as_shipped(const Hive& hive) {
  auto settings = worker_settings(hive, "w1");
  settings.redis.connect_timeout = 2s;
  settings.redis.command_timeout = 5s;
  settings.heartbeat = 2s;
  settings.idle_poll = 1s;
  return settings;
}

TEST_CASE(
    "worker: a job that is finished while Redis is frozen for four leases completes, in its first attempt") {
  Hive hive(with_short_lease);
  auto puppet = std::make_unique<PuppetRenderer>();
  auto* const renderer = puppet.get();
  Crew crew(short_lease(hive), std::move(puppet));
  const JobId job = hive.submit(a_job());
  REQUIRE(eventually([&] { return renderer->rendered == 1; }));
  hive.redis.pause();
  renderer->end(1, pipeline::RenderSummary{a_job()});
  std::this_thread::sleep_for(4 * kLease);  // the outage itself
  hive.redis.resume();
  REQUIRE(hive.becomes(job, JobState::completed));
  CHECK(hive.status(job).attempt == 1);
  CHECK(hive.event_names(job) == std::vector<std::string>{"queued", "started", "completed"});
}

TEST_CASE(
    "worker: a job that is rendered on while Redis is dead for four leases completes, in its first attempt") {
  Hive hive(with_short_lease);
  auto puppet = std::make_unique<PuppetRenderer>();
  auto* const renderer = puppet.get();
  Crew crew(short_lease(hive), std::move(puppet));
  const JobId job = hive.submit(a_job());
  REQUIRE(eventually([&] { return renderer->rendered == 1; }));
  hive.redis.kill9();
  std::this_thread::sleep_for(4 * kLease);  // the outage itself
  hive.redis.restart();
  REQUIRE(eventually([&] { return hive.ledger.ping().has_value(); }));
  std::this_thread::sleep_for(kLease * 3 / 2);  // longer than a lease: the worker renews again
  renderer->end(1, pipeline::RenderSummary{a_job()});
  REQUIRE(hive.becomes(job, JobState::completed));
  CHECK(hive.status(job).attempt == 1);
}

TEST_CASE("worker: an idle worker leaves within three seconds while Redis is frozen") {
  Hive hive;
  auto crew = std::make_unique<Crew>(as_shipped(hive), std::make_unique<PuppetRenderer>());
  REQUIRE(eventually([&] { return hive.ledger.workers()->size() == 1; }));
  hive.redis.pause();
  std::this_thread::sleep_for(1200ms);  // it is in the middle of a claim or a heartbeat
  const double took_s = seconds_to_leave(crew, 1);
  CHECK(took_s < 3.0);
  WARN("idle, Redis frozen: left after " << took_s << " s");
  hive.redis.resume();
}

TEST_CASE(
    "worker: told twice, a worker with a job in hand leaves within three seconds while Redis is frozen") {
  Hive hive;
  auto puppet = std::make_unique<PuppetRenderer>();
  auto* const renderer = puppet.get();
  auto crew = std::make_unique<Crew>(as_shipped(hive), std::move(puppet));
  const JobId job = hive.submit(a_job());
  REQUIRE(eventually([&] { return renderer->rendered == 1; }));
  hive.redis.pause();
  std::this_thread::sleep_for(1200ms);
  const double took_s = seconds_to_leave(crew, 2);
  CHECK(took_s < 3.0);
  WARN("one job in hand, Redis frozen: left after " << took_s << " s");
  hive.redis.resume();
  // It could not hand the job back; its connections are closed, so the queen does.
  CHECK(hive.becomes(job, JobState::queued));
}

TEST_CASE("worker: a worker that is started again under its name gets its job back, as another attempt") {
  Hive hive([](queen::Options& options) { options.missed_after = 200ms; });
  const JobId job = hive.submit(a_job());
  ledger::ClaimQuery query{WorkerId("w1"), {"null"}, 1, ""};
  query.token = "first:1";
  {
    ledger::Options options = hive.queen_options().redis;
    options.connection_name = "w1#first";
    ledger::Ledger killed(options);
    REQUIRE(killed.claim(query, hive.queen_options().policy)->size() == 1);
    std::this_thread::sleep_for(300ms);  // a queen has seen it
  }
  Crew crew(hive, "w1", 1ms);  // of another instance
  const auto start = Clock::now();
  REQUIRE(hive.becomes(job, JobState::completed));
  CHECK(Clock::now() - start < 5s);
  CHECK(hive.status(job).attempt == 2);
}

TEST_CASE("worker: a fail-over of Redis in mid-job costs no attempt, and the pool goes on") {
  RedisSentinels sentinels;
  Hive hive([&](queen::Options& options) { options.redis = sentinels.options(); });
  auto puppet = std::make_unique<PuppetRenderer>();
  auto* const renderer = puppet.get();
  Crew crew(worker_settings(hive, "w1"), std::move(puppet));
  const JobId job = hive.submit(a_job());
  REQUIRE(eventually([&] { return renderer->rendered == 1; }));
  REQUIRE(eventually([&] { return sentinels.replicated(); }));
  sentinels.master().kill9();
  renderer->end(1, pipeline::RenderSummary{a_job()});
  REQUIRE(eventually([&] { return hive.ledger.ping().has_value(); }, 40s));
  REQUIRE(hive.becomes(job, JobState::completed));
  CHECK(hive.status(job).attempt == 1);

  std::optional<JobId> next;
  REQUIRE(eventually([&] {
    const ReplyBody reply = hive.ask(SubmitRequest{a_job()});
    if (const auto* accepted = std::get_if<Accepted>(&reply)) next = accepted->job;
    return next.has_value();
  }));
  REQUIRE(eventually([&] { return renderer->rendered >= 2; }));
  renderer->end(static_cast<pipeline::Ticket>(renderer->rendered.load()), pipeline::RenderSummary{a_job()});
  CHECK(hive.becomes(*next, JobState::completed));
}

/// A second queen over the same Redis.
class AnotherQueen {
 public:
  explicit AnotherQueen(const Hive& hive) : queen_(options(hive)) {
    thread_ = std::thread([this] { queen_.run([this] { return stopping_.load(); }); });
  }
  ~AnotherQueen() {
    stopping_ = true;
    thread_.join();
  }
  [[nodiscard]] bus::Endpoints endpoints() const { return queen_.endpoints(); }

 private:
  static queen::Options options(const Hive& hive) {
    queen::Options options = hive.queen_options();
    options.listen = {"tcp://127.0.0.1:*", "tcp://127.0.0.1:*", "tcp://127.0.0.1:*"};
    return options;
  }
  queen::Queen queen_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

TEST_CASE(
    "worker: of two queens either may be lost, and come back: requests, jobs and events go by the other") {
  Hive hive;
  auto second = std::make_unique<AnotherQueen>(hive);
  auto settings = worker_settings(hive, "w1");
  settings.queens.push_back(second->endpoints());
  settings.idle_poll = 60s;  // it hears of jobs, or never
  Crew crew(settings, std::make_unique<worker::NullRenderer>(worker::NullRendererOptions{1ms}));
  bus::RequestClient client(hive.context(), {hive.endpoints().requests, second->endpoints().requests});
  bus::Subscriber reader(hive.context(), {hive.endpoints().publish, second->endpoints().publish});
  reader.subscribe("events/");
  int number = 0;
  // Asked again when no answer comes, as any client would: the key makes it one job. Hears of an end on the
  // topic.
  const auto one_goes_through = [&] {
    JobRequest request = a_job();
    request.idempotency_key = "job " + std::to_string(++number);
    if (!client.send(codec::to_msgpack(Request{RequestId("r"), SubmitRequest{request}}))) return false;
    if (!client.receive(500ms)) return false;
    const auto deadline = Clock::now() + 1s;
    while (Clock::now() < deadline) {
      const auto message = reader.receive(100ms);
      const auto event = message ? codec::from_msgpack<Event>(message->payload) : Error{};
      if (event && std::holds_alternative<CompletedEvent>(event->body)) return true;
    }
    return false;
  };
  CHECK(eventually(one_goes_through));
  hive.stop_queen();
  CHECK(eventually(one_goes_through));
  hive.start_queen();
  second.reset();
  CHECK(eventually(one_goes_through));
}

}  // namespace
}  // namespace waggle::testing

// Workers in process, with a real queen, a real Redis and real sockets: the life of a job.
#include <algorithm>
#include <memory>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "consumer/bus/topics.h"
#include "tests/schemas/tiny_picture.h"
#include "tests/worker/crew.h"

namespace waggle::testing {
namespace {

using namespace std::chrono_literals;

/// What is logged as a warning or worse while it lives.
class Warnings {
 public:
  Warnings() : before_(spdlog::default_logger()) {
    auto logger =
        std::make_shared<spdlog::logger>("warnings", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
    logger->set_level(spdlog::level::warn);
    spdlog::set_default_logger(std::move(logger));
  }
  ~Warnings() { spdlog::set_default_logger(before_); }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;
  /// Once nobody logs any more.
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

TEST_CASE("worker: a job is claimed, rendered and completed, and its images are kept") {
  Hive hive;
  Crew crew(hive, "w1", 1ms);
  JobRequest request = a_job();
  request.n = 2;
  request.seed = 40;
  const JobId job = hive.submit(request);
  REQUIRE(hive.becomes(job, JobState::completed));
  const JobStatus status = hive.status(job);
  CHECK(status.attempt == 1);
  CHECK(status.worker == WorkerId("w1"));
  REQUIRE(status.images.size() == 2);
  CHECK(status.images[1].seed == 41);
  CHECK(hive.ledger.image(job, 1).value().starts_with("\x89PNG"));
  const auto events = hive.event_names(job);
  REQUIRE(events.size() >= 4);
  CHECK(events.front() == "queued");
  CHECK(events[1] == "started");
  CHECK(events[2] == "progress");
  CHECK(events.back() == "completed");
}

TEST_CASE("worker: events are published with the number that the log gave them") {
  Hive hive;
  bus::Subscriber subscriber(hive.context(), {hive.endpoints().publish});
  subscriber.subscribe("events/");
  Crew crew(hive, "w1", 1ms);
  // The first jobs may pass before the subscription has arrived.
  std::optional<Event> completed;
  REQUIRE(eventually([&] {
    hive.submit(a_job());
    while (const auto message = subscriber.receive(100ms)) {
      const auto event = codec::from_msgpack<Event>(message->payload);
      REQUIRE(event);
      CHECK(is_valid_event_id(event->id.value));
      CHECK(message->topic == bus::events_topic(event->job));
      if (std::holds_alternative<CompletedEvent>(event->body)) completed = *event;
    }
    return completed.has_value();
  }));
  const auto page = hive.ledger.events(completed->job, EventId{});
  REQUIRE(page);
  CHECK(page->events.back() == *completed);
}

TEST_CASE("worker: an idle worker begins what is submitted without having been told by a queen") {
  Hive hive;
  worker::Settings settings = worker_settings(hive, "w1");
  settings.idle_poll = 60s;
  Crew crew(std::move(settings), std::make_unique<worker::NullRenderer>(worker::NullRendererOptions{1ms}));
  const auto stands = [&] { return redis_answer(hive.redis.port(), "ZCARD waggle:standing:null") == ":1"; };
  REQUIRE(eventually(stands));
  for (int i = 1; i <= 3; ++i) {
    const JobId job(std::string("019a0000-0000-7000-8000-00000000000") + std::to_string(i));
    const auto submitted = hive.ledger.submit(job, a_job(), "b", "d", hive.queen_options().policy);
    REQUIRE(submitted);
    CHECK(submitted->granted);
    REQUIRE(hive.becomes(job, JobState::completed));
    REQUIRE(eventually(stands));
  }
}

TEST_CASE("worker: what it was given while Redis cut it off is found, and rendered once") {
  Hive hive;
  worker::Settings settings = worker_settings(hive, "w1");
  settings.idle_poll = 60s;
  auto renderer = std::make_unique<PuppetRenderer>();
  PuppetRenderer& puppet = *renderer;
  Crew crew(std::move(settings), std::move(renderer));
  REQUIRE(eventually([&] { return redis_answer(hive.redis.port(), "ZCARD waggle:standing:null") == ":1"; }));
  redis_answer(hive.redis.port(), "CLIENT KILL TYPE pubsub");
  const JobId job = hive.submit(a_job());
  REQUIRE(hive.becomes(job, JobState::running));
  REQUIRE(eventually([&] { return puppet.rendered == 1; }));
  puppet.end(1, pipeline::RenderSummary{a_job()});
  REQUIRE(hive.becomes(job, JobState::completed));
  CHECK(hive.status(job).attempt == 1);
  CHECK(puppet.rendered == 1);
}

TEST_CASE("worker: it claims while it records, and renders no more at once than it has room for") {
  Hive hive;
  std::vector<JobId> jobs;
  for (int i = 0; i < 40; ++i) jobs.push_back(hive.submit(a_job("null", 1)));
  auto renderer = std::make_unique<worker::NullRenderer>(worker::NullRendererOptions{100us});
  worker::NullRenderer& null = *renderer;
  Crew crew(worker_settings(hive, "w1"), std::move(renderer));
  for (const JobId& job : jobs) REQUIRE(hive.becomes(job, JobState::completed));
  CHECK(null.stats().unet_images == null.stats().unet_calls);
  for (const JobId& job : jobs) CHECK(hive.status(job).attempt == 1);
}

TEST_CASE("worker: it is in the pool with what it serves, and gone when it has left") {
  Hive hive;
  {
    Crew crew(hive, "w1", 1ms);
    REQUIRE(eventually([&] { return hive.ledger.workers().value().size() == 1; }));
    const WorkerInfo info = hive.ledger.workers().value().at(0);
    CHECK(info.id == WorkerId("w1"));
    CHECK(info.state == WorkerState::idle);
    CHECK(info.models.at(0).name == "null");
  }
  CHECK(hive.ledger.workers().value().empty());
}

TEST_CASE("worker: a cancel in mid-job is obeyed within a step") {
  Hive hive;
  Crew crew(hive, "w1", 20ms);
  const JobId job = hive.submit(a_job("null", 500));
  REQUIRE(eventually([&] { return hive.status(job).step > 0; }));
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(std::holds_alternative<CancelAccepted>(hive.ask(CancelRequest{job})));
  REQUIRE(hive.becomes(job, JobState::cancelled));
  // Ten seconds of rendering are left, and the next renewal is seconds away: the control topic has told it.
  CHECK(std::chrono::steady_clock::now() - start < 2s);
  CHECK(hive.event_names(job).back() == "cancelled");
}

TEST_CASE("worker: a cancel whose message is lost is found at the next renewal") {
  Hive hive;
  auto settings = worker_settings(hive, "w1");
  settings.policy.lease = 300ms;
  Crew crew(settings, std::make_unique<worker::NullRenderer>(worker::NullRendererOptions{20ms}));
  const JobId job = hive.submit(a_job("null", 500));
  REQUIRE(hive.becomes(job, JobState::running));
  REQUIRE(hive.ledger.cancel(job, hive.queen_options().policy));  // tells nobody
  CHECK(hive.becomes(job, JobState::cancelled));
}

TEST_CASE("worker: a job outlives many leases while its worker renews them") {
  Hive hive;
  auto settings = worker_settings(hive, "w1");
  settings.policy.lease = 150ms;
  Crew crew(settings, std::make_unique<worker::NullRenderer>(worker::NullRendererOptions{20ms}));
  const JobId job = hive.submit(a_job("null", 40));
  REQUIRE(hive.becomes(job, JobState::completed));
  CHECK(hive.status(job).attempt == 1);
}

TEST_CASE("worker: a job that ends while its lease is being renewed has not lost it") {
  Hive hive;
  std::vector<JobId> jobs;
  for (int i = 0; i < 300; ++i) jobs.push_back(hive.submit(a_job("null", 2)));
  hive.stop_queen();  // so that nobody takes a lease away, however short
  const Warnings warnings;
  {
    auto settings = worker_settings(hive, "w1");
    settings.policy.lease = 3ms;  // a renewal every millisecond: some job ends within each
    const Crew crew(settings, std::make_unique<worker::NullRenderer>(worker::NullRendererOptions{200us}));
    for (const JobId& job : jobs) REQUIRE(hive.becomes(job, JobState::completed));
  }
  CHECK(warnings.text().find("the lease is lost") == std::string::npos);
}

TEST_CASE("worker: a drain finishes what is in hand and takes nothing more") {
  Hive hive;
  Crew crew(hive, "w1", 5ms);
  const JobId first = hive.submit(a_job("null", 60));
  REQUIRE(hive.becomes(first, JobState::running));
  const JobId second = hive.submit(a_job());
  crew.ask_to_stop();
  REQUIRE(eventually([&] { return crew.left.load(); }));
  CHECK(hive.status(first).state == JobState::completed);
  CHECK(hive.status(second).state == JobState::queued);
  CHECK(hive.ledger.workers().value().empty());
}

TEST_CASE("worker: a drain that takes too long hands the job back without using up an attempt") {
  Hive hive;
  auto settings = worker_settings(hive, "w1");
  settings.drain_timeout = 0ms;
  JobRequest request = a_job("null", 400);
  request.max_attempts = 1;
  JobId job;
  {
    Crew crew(settings, std::make_unique<worker::NullRenderer>(worker::NullRendererOptions{20ms}));
    job = hive.submit(request);
    REQUIRE(eventually([&] { return hive.status(job).step > 0; }));
    crew.ask_to_stop();
    REQUIRE(eventually([&] { return crew.left.load(); }));
  }
  CHECK(hive.status(job).state == JobState::queued);
  Crew crew(hive, "w2", 10us);
  CHECK(hive.becomes(job, JobState::completed));
}

TEST_CASE("worker: the second signal hands jobs back at once") {
  Hive hive;
  Crew crew(hive, "w1", 20ms);
  const JobId job = hive.submit(a_job("null", 500));
  REQUIRE(hive.becomes(job, JobState::running));
  crew.ask_to_stop();
  crew.ask_to_stop();
  REQUIRE(eventually([&] { return crew.left.load(); }, 5s));
  CHECK(hive.status(job).state == JobState::queued);
}

TEST_CASE("worker: a drain asked of the queen takes the worker out of service") {
  Hive hive;
  Crew crew(hive, "w1", 1ms);
  REQUIRE(
      eventually([&] { return std::holds_alternative<Draining>(hive.ask(DrainRequest{WorkerId("w1")})); }));
  // The control message may be lost before the subscription arrives; an operator would ask again too.
  REQUIRE(eventually([&] {
    if (!crew.left) hive.ask(DrainRequest{WorkerId("w1")});
    return crew.left.load();
  }));
}

TEST_CASE("worker: a picture of a job is fetched from the blob store") {
  Hive hive;
  auto puppet = std::make_unique<PuppetRenderer>();
  auto* const renderer = puppet.get();
  std::string seen, described;
  renderer->on_render = [&](const pipeline::RenderJob& job, int) {
    seen = std::get<std::string>(std::get<ImageTransform>(job.request.operation).input_image.source);
    described = job.describe(job.request);
  };
  Crew crew(worker_settings(hive, "w1"), std::move(puppet));
  JobRequest request = a_job();
  request.operation = ImageTransform{PictureInput{testing::tiny_png()}, 0.5, 64, 64};
  request.idempotency_key = "last-night";
  hive.submit(request);
  REQUIRE(eventually([&] { return renderer->rendered == 1; }));
  CHECK(seen == testing::tiny_png());
  // What goes into the picture's text is the reference, not the other picture.
  CHECK(described.find("sha256:") != std::string::npos);
  // Nor does the key under which it was submitted.
  CHECK(described.find("last-night") == std::string::npos);
  renderer->end(1, pipeline::RenderSummary{request});
}

TEST_CASE("worker: jobs of one kind share a batch, others wait for it to end") {
  Hive hive;
  auto settings = worker_settings(hive, "w1");
  settings.capacity = 2;
  auto puppet = std::make_unique<PuppetRenderer>();
  auto* const renderer = puppet.get();
  Crew crew(settings, std::move(puppet));
  hive.submit(a_job());
  REQUIRE(eventually([&] { return renderer->rendered == 1; }));
  JobRequest other_kind = a_job();
  other_kind.operation = ImageGeneration{64, 64};
  const JobId waiting = hive.submit(other_kind);
  hive.submit(a_job());
  REQUIRE(eventually([&] { return renderer->rendered == 2; }));
  CHECK(hive.status(waiting).state == JobState::queued);
  renderer->end(1, pipeline::RenderSummary{a_job()});
  renderer->end(2, pipeline::RenderSummary{a_job()});
  CHECK(hive.becomes(waiting, JobState::running));
}

TEST_CASE("worker: fifty jobs and three workers: each job ends once, none is lost") {
  Hive hive;
  std::vector<std::unique_ptr<Crew>> crews;
  for (int i = 0; i < 3; ++i) crews.push_back(std::make_unique<Crew>(hive, "w" + std::to_string(i), 500us));
  std::vector<JobId> jobs;
  for (int i = 0; i < 50; ++i) jobs.push_back(hive.submit(a_job()));
  for (const JobId& job : jobs) {
    REQUIRE(hive.becomes(job, JobState::completed));
    const auto events = hive.event_names(job);
    CHECK(std::count(events.begin(), events.end(), "completed") == 1);
    CHECK(hive.status(job).attempt == 1);
  }
}

}  // namespace
}  // namespace waggle::testing

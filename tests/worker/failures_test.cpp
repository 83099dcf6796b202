// Workers in process, with a real queen, a real Redis and real sockets: what goes wrong on the way.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>

#include "tests/worker/crew.h"

namespace waggle::testing {
namespace {

using namespace std::chrono_literals;

TEST_CASE("worker: a job of a lost worker runs again, without what was done already") {
  Hive hive;
  JobRequest request = a_job();
  request.n = 3;
  request.seed = 1;
  const JobId job = hive.submit(request);
  ledger::ClaimQuery query;
  query.worker = WorkerId("lost");
  query.models = {"null"};
  ledger::Policy policy = hive.queen_options().policy;
  policy.lease = 100ms;
  const auto claimed = hive.ledger.claim(query, policy);
  REQUIRE(claimed);
  REQUIRE(claimed->size() == 1);
  const ImageInfo first{1, 2, OutputFormat::png, 8, 8, 5};
  REQUIRE(hive.ledger.commit_image(claimed->at(0).lease, first, "first", policy));

  auto puppet = std::make_unique<PuppetRenderer>();
  auto* const renderer = puppet.get();
  std::vector<int> done;
  renderer->on_render = [&](const pipeline::RenderJob& given, int) { done = given.done; };
  Crew crew(worker_settings(hive, "w2"), std::move(puppet));
  REQUIRE(eventually([&] { return renderer->rendered == 1; }));
  renderer->end(1, pipeline::RenderSummary{request});
  REQUIRE(hive.becomes(job, JobState::completed));
  CHECK(done == std::vector{1});
  CHECK(hive.status(job).attempt == 2);
  CHECK(hive.ledger.image(job, 1).value() == "first");
}

TEST_CASE("worker: a result that comes after the lease was lost is dropped, the other worker's counts") {
  Hive hive;
  auto settings = worker_settings(hive, "slow");
  settings.policy.lease = 2s;  // renewed every two thirds of a second
  auto puppet = std::make_unique<PuppetRenderer>();
  auto* const renderer = puppet.get();
  renderer->hangs = true;  // goes on rendering whatever happens
  Crew slow(settings, std::move(puppet));
  const JobId job = hive.submit(a_job());
  REQUIRE(eventually([&] { return renderer->rendered == 1; }));
  // The lease runs out behind the worker's back, as when its machine slept for longer than that.
  const std::string expire = "redis-cli -p " + std::to_string(hive.redis.port()) + " ZADD " +
                             hive.queen_options().redis.prefix + "leases 0 " + job.value + " > /dev/null";
  REQUIRE(std::system(expire.c_str()) == 0);
  REQUIRE(eventually([&] { return !hive.status(job).attempts.empty(); }));
  CHECK(hive.status(job).attempts.at(0).error.code == ErrorCode::worker_lost);

  Crew other(hive, "other", 1ms);
  REQUIRE(hive.becomes(job, JobState::completed));
  REQUIRE(eventually([&] { return renderer->cancelled > 0; }));  // the renewal told it
  renderer->end(1, pipeline::RenderSummary{a_job()});
  REQUIRE(eventually([&] { return slow.info().jobs.empty(); }));
  CHECK(slow.info().jobs_done == 0);
  const JobStatus status = hive.status(job);
  CHECK(status.state == JobState::completed);
  CHECK(status.worker == WorkerId("other"));
  CHECK(status.attempt == 2);
  const auto events = hive.event_names(job);
  CHECK(std::count(events.begin(), events.end(), "completed") == 1);
}

TEST_CASE("worker: whatever a job throws fails that job, and the next one is rendered") {
  Hive hive;
  auto settings = worker_settings(hive, "w1");
  settings.breaker_limit = 100;
  auto puppet = std::make_unique<PuppetRenderer>();
  auto* const renderer = puppet.get();
  renderer->on_render = [](const pipeline::RenderJob&, int number) {
    if (number == 1) throw std::runtime_error("shape is invalid");
    if (number == 2) throw std::bad_alloc();
    if (number == 3) throw 42;
  };
  Crew crew(settings, std::move(puppet));
  const ErrorCode expected[] = {ErrorCode::internal, ErrorCode::out_of_memory, ErrorCode::internal};
  for (const ErrorCode code : expected) {
    JobRequest request = a_job();
    request.max_attempts = 1;
    const JobId job = hive.submit(request);
    REQUIRE(eventually([&] { return is_terminal(hive.status(job).state); }));
    REQUIRE(hive.status(job).error);
    CHECK(hive.status(job).error->code == code);
  }
  const JobId good = hive.submit(a_job());
  REQUIRE(eventually([&] { return renderer->rendered == 4; }));
  renderer->end(4, pipeline::RenderSummary{a_job()});
  CHECK(hive.becomes(good, JobState::completed));
}

TEST_CASE("worker: a model that does not load fails the job with the reason") {
  Hive hive;
  auto puppet = std::make_unique<PuppetRenderer>();
  puppet->on_load = [](const std::string&) -> Status {
    return Error{ErrorCode::model_load_failed, "unet: the header ends early"};
  };
  Crew crew(worker_settings(hive, "w1"), std::move(puppet));
  JobRequest request = a_job();
  request.max_attempts = 1;
  const JobId job = hive.submit(request);
  REQUIRE(eventually([&] { return is_terminal(hive.status(job).state); }));
  CHECK(hive.status(job).error->code == ErrorCode::model_load_failed);
}

TEST_CASE("worker: own failures in a row take it out of service, and it says so") {
  Hive hive;
  auto settings = worker_settings(hive, "w1");
  settings.breaker_limit = 2;
  auto puppet = std::make_unique<PuppetRenderer>();
  puppet->on_render = [](const pipeline::RenderJob&, int) { throw std::runtime_error("CUDA error: ecc"); };
  Crew crew(settings, std::move(puppet));
  const JobId job = hive.submit(a_job());
  REQUIRE(eventually([&] {
    const auto workers = hive.ledger.workers();
    return workers && workers->size() == 1 && workers->at(0).state == WorkerState::broken;
  }));
  // Its third attempt is another worker's.
  Crew other(hive, "w2", 1ms);
  CHECK(hive.becomes(job, JobState::completed));
  CHECK(hive.status(job).worker == WorkerId("w2"));
}

TEST_CASE("worker: a device that hangs is noticed and its job goes elsewhere") {
  Hive hive;
  auto settings = worker_settings(hive, "w1");
  settings.stall_floor = 100ms;
  auto puppet = std::make_unique<PuppetRenderer>();
  puppet->hangs = true;
  Crew crew(settings, std::move(puppet));
  const JobId job = hive.submit(a_job());
  REQUIRE(eventually([&] { return crew.wedged.load(); }));
  CHECK(hive.ledger.workers().value().empty());
  Crew other(hive, "w2", 1ms);
  REQUIRE(hive.becomes(job, JobState::completed));
  CHECK(hive.status(job).attempts.at(0).error.code == ErrorCode::stalled);
}

TEST_CASE("worker: an attempt over its limit is stopped and counted as stalled") {
  Hive hive;
  auto settings = worker_settings(hive, "w1");
  settings.attempt_base = std::chrono::duration<double>(0.1);
  settings.attempt_per_step = std::chrono::duration<double>(0.0001);
  Crew crew(settings, std::make_unique<worker::NullRenderer>(worker::NullRendererOptions{20ms}));
  JobRequest request = a_job("null", 500);
  request.max_attempts = 1;
  const JobId job = hive.submit(request);
  REQUIRE(eventually([&] { return is_terminal(hive.status(job).state); }));
  CHECK(hive.status(job).error->code == ErrorCode::stalled);
}

TEST_CASE("worker: Redis dies in mid-job and comes back: the job completes, once") {
  Hive hive;
  Crew crew(hive, "w1", 10ms);
  const JobId job = hive.submit(a_job("null", 60));
  REQUIRE(eventually([&] { return hive.status(job).step > 2; }));
  hive.redis.kill9();
  hive.redis.restart();
  REQUIRE(hive.becomes(job, JobState::completed));
  CHECK(hive.status(job).images.size() == 1);
}

TEST_CASE("worker: a queen restarts in mid-job: the job completes and new ones are heard") {
  Hive hive;
  Crew crew(hive, "w1", 10ms);
  const JobId job = hive.submit(a_job("null", 50));
  REQUIRE(hive.becomes(job, JobState::running));
  hive.stop_queen();
  hive.start_queen();
  CHECK(hive.becomes(job, JobState::completed));
  CHECK(hive.becomes(hive.submit(a_job()), JobState::completed));
}

TEST_CASE("worker: garbage on every topic it hears is dropped") {
  Hive hive;
  Crew crew(hive, "w1", 1ms);
  bus::Publisher vandal(hive.context(), {hive.endpoints().collect});
  std::mt19937 random(11);
  const std::string topics[] = {"control/w1/", "control/*/", "jobs/null/", "jobs/@w1/"};
  for (int i = 0; i < 400; ++i) {
    std::string bytes(random() % 300, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    vandal.send(topics[i % 4], bytes);
  }
  vandal.send("control/w1/", codec::to_msgpack(Control(ControlUnloadModel{"nobody's"})));
  vandal.send("control/w1/", codec::to_msgpack(Control(ControlLoadModel{"nobody's"})));
  vandal.send("control/w1/", codec::to_msgpack(Control(ControlCancel{JobId("nobody's")})));
  for (int i = 0; i < 5; ++i) REQUIRE(hive.becomes(hive.submit(a_job()), JobState::completed));
  CHECK_FALSE(crew.left);
}

}  // namespace
}  // namespace waggle::testing

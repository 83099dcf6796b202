// Processes that die in mid-job: every job ends, and ends once. And jobs that somebody stops.
#include <csignal>

#include <catch2/catch.hpp>

#include "tests/e2e/machine.h"

using namespace waggle;
using namespace waggle::e2e;

namespace {
void check_completed_once(Pool& pool, const JobId& job, int attempt) {
  const JobStatus status = pool.wait_for_end(job);
  CHECK(status.state == JobState::completed);
  CHECK(status.attempt == attempt);
  CHECK(status.images.size() == 1);
  const auto events = pool.events(job);
  CHECK(count<CompletedEvent>(events) == 1);
  CHECK(is_terminal(events.back().body));
}
}  // namespace

TEST_CASE("recovery: a job whose worker is killed is finished by the next worker, once") {
  Pool pool(with_short_lease(null_pool("20ms")));
  const JobId job = pool.submit("null", {"--steps", "200"});
  pool.wait_for_step(job, 5);
  REQUIRE(kill(pool.pid("worker-1"), SIGKILL) == 0);
  check_completed_once(pool, job, 2);
  const auto events = pool.events(job);
  CHECK(count<StartedEvent>(events) == 2);
  CHECK(count<RetriedEvent>(events) == 1);
  CHECK(pool.status(job).attempts.size() == 1);
}

TEST_CASE(
    "recovery: with the lease as shipped, a killed worker's job runs elsewhere long before it is over") {
  std::vector<std::string> flags = null_pool("20ms");
  flags.insert(flags.end(), {"--workers", "2"});
  Pool pool(flags);
  const JobId job = pool.submit("null", {"--steps", "300"});
  pool.wait_for_step(job, 60);  // a second and more: a queen has seen who is connected
  REQUIRE(kill(pool.pid(pool.status(job).worker->value), SIGKILL) == 0);
  const auto killed = std::chrono::steady_clock::now();
  REQUIRE(eventually([&] { return count<StartedEvent>(pool.events(job)) == 2; }));
  const double took_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - killed).count();
  WARN("worker killed to its job started elsewhere: " << took_s << " s, lease 15 s");
  CHECK(took_s < 8.0);  // two on a machine that is not busy
  check_completed_once(pool, job, 2);
}

TEST_CASE("recovery: the real model finishes a killed worker's job with the same picture") {
  Pool pool(with_short_lease(model_pool()));
  const std::vector<std::string> settings{"--steps", "400", "--seed", "3", "--size", "64x64"};
  const JobId killed = pool.submit("sd15", settings);
  pool.wait_for_step(killed, 5);
  REQUIRE(kill(pool.pid("worker-1"), SIGKILL) == 0);
  check_completed_once(pool, killed, 2);
  const JobId whole = pool.submit("sd15", settings);
  check_completed_once(pool, whole, 1);
  CHECK(pool.status(killed).images[0].bytes == pool.status(whole).images[0].bytes);
}

TEST_CASE("recovery: a job goes on while the queen is dead, and new ones are taken after its restart") {
  Pool pool(null_pool("20ms"));
  const JobId running = pool.submit("null", {"--steps", "200"});
  const JobId waiting = pool.submit("null", {"--steps", "5"});
  pool.wait_for_step(running, 5);
  REQUIRE(kill(pool.pid("queen"), SIGKILL) == 0);
  check_completed_once(pool, running, 1);
  check_completed_once(pool, waiting, 1);
  REQUIRE(eventually([&] { return pool.waggle({"stats", "--timeout", "1"}).exit_status == 0; }));
  check_completed_once(pool, pool.submit("null", {"--steps", "5"}), 1);
}

TEST_CASE("recovery: Redis that is killed comes back with every accepted job") {
  Pool pool(null_pool("20ms"));
  const JobId job = pool.submit("null", {"--steps", "200"});
  pool.wait_for_step(job, 5);
  REQUIRE(kill(pool.pid("redis"), SIGKILL) == 0);
  REQUIRE(eventually([&] { return pool.waggle({"stats", "--timeout", "1"}).exit_status == 0; }));
  const JobStatus status = pool.wait_for_end(job);
  CHECK(status.state == JobState::completed);
  CHECK(count<CompletedEvent>(pool.events(job)) == 1);
}

TEST_CASE("cancel: a running job stops within one step") {
  Pool pool(null_pool("300ms"));
  const JobId job = pool.submit("null", {"--steps", "400"});
  pool.wait_for_step(job, 2);
  const Run cancelled = pool.waggle({"cancel", job.value});
  const int told = pool.status(job).step;
  CHECK(cancelled.exit_status == 0);
  const JobStatus status = pool.wait_for_end(job);
  CHECK(status.state == JobState::cancelled);
  CHECK(status.step <= told + 1);  // the step in hand
  CHECK(pool.waggle({"watch", job.value}).exit_status == 4);
  CHECK(pool.waggle({"cancel", job.value}).exit_status == 2);
}

TEST_CASE("cancel: a job that waits never starts") {
  Pool pool(null_pool("50ms"));
  const JobId running = pool.submit("null", {"--steps", "400"});
  const JobId waiting = pool.submit("null", {"--steps", "5"});
  pool.wait_for_step(running, 1);
  CHECK(pool.waggle({"cancel", waiting.value}).output == "cancelled\n");
  CHECK(pool.status(waiting).state == JobState::cancelled);
  CHECK(count<StartedEvent>(pool.events(waiting)) == 0);
  CHECK(pool.waggle({"requeue", waiting.value}).exit_status == 0);
  CHECK(pool.waggle({"cancel", running.value}).exit_status == 0);
  CHECK(pool.wait_for_end(waiting).state == JobState::completed);
}

TEST_CASE("watch: the events of a job come in order, live and when it has ended") {
  Pool pool(null_pool("20ms"));
  const Run live = pool.waggle({"submit", "--model", "null", "a bee", "--steps", "20", "--watch", "--json"});
  INFO(live.output);
  CHECK(live.exit_status == 0);
  const std::string accepted = live.output.substr(0, live.output.find('\n'));
  const auto at = accepted.find("\"job_id\":\"");
  REQUIRE(at != std::string::npos);
  const std::string job = accepted.substr(at + 10, 36);
  const Run replay = pool.waggle({"watch", job, "--json"});
  CHECK(replay.exit_status == 0);
  CHECK(live.output == accepted + "\n" + replay.output);
  CHECK(replay.output.find("\"completed\"") != std::string::npos);
}

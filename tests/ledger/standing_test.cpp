// Claims that stand: who is given what, once, and what happens when the news of it is lost.
#include <thread>

#include "consumer/ledger/grants.h"
#include "tests/ledger/desk.h"

namespace waggle::testing {
namespace {

/// A worker's two connections, and its claims.
struct Stander {
  explicit Stander(Desk& of, const std::string& name = "w1", std::vector<std::string> models = {"sd15"})
      : desk(of),
        id(name),
        served(std::move(models)),
        ledger(of.server.options()),
        grants(std::make_unique<ledger::Grants>(of.server.options(), id, "abc")) {}

  std::vector<ledger::ClaimedJob> claim(const std::string& token, std::chrono::milliseconds wait,
                                        bool repeated = false, int room = 1) {
    ledger::ClaimQuery query{id, served, room, "", true};
    query.token = "abc:" + token;
    query.wait = wait;
    query.repeated = repeated;
    auto claimed = ledger.claim(query, desk.policy);
    REQUIRE(claimed);
    return std::move(claimed).value();
  }
  void stand(const std::string& token = "1") {
    REQUIRE(grants->listen());
    REQUIRE(claim(token, 60s).empty());
  }
  /// Waits for the next grant.
  std::vector<ledger::Grants::Grant> given() {
    std::vector<ledger::Grants::Grant> all;
    REQUIRE(eventually([&] { return !(all = grants->receive()).empty(); }));
    return all;
  }

  Desk& desk;
  WorkerId id;
  std::vector<std::string> served;
  ledger::Ledger ledger;
  std::unique_ptr<ledger::Grants> grants;
};

bool submitted_and_granted(Desk& desk, int number, const JobRequest& request = Desk::request()) {
  auto submitted = desk.ledger.submit(job_id(number), request, "the batch", "digest", desk.policy);
  REQUIRE(submitted);
  return submitted->granted;
}

}  // namespace

TEST_CASE("ledger: a job goes to the claim that stands as it is submitted, as if it had been claimed") {
  Desk desk;
  Stander worker(desk);
  worker.stand();
  JobRequest request = Desk::request();
  request.deadline_s = 60;
  REQUIRE(submitted_and_granted(desk, 1, request));
  CHECK(desk.status(1).state == JobState::running);
  CHECK(desk.log(1) == "queued started");

  const auto given = worker.given();
  REQUIRE(given.size() == 1);
  CHECK(given[0].token == "abc:1");
  const ledger::ClaimedJob& job = given[0].job;
  CHECK(job.lease == ledger::Lease{job_id(1), 1, WorkerId("w1")});
  CHECK(job.request == request);
  CHECK(job.batch_key == "the batch");
  CHECK(job.deadline_ms.has_value());
  CHECK(job.started == desk.ledger.events(job_id(1), EventId())->events.back());

  // It stands no longer: the next job waits.
  CHECK_FALSE(submitted_and_granted(desk, 2));
  CHECK(desk.status(2).position == 0);
  CHECK(desk.ledger.stats()->running == 1);
  CHECK(desk.ledger.stats()->queued == 1);
  CHECK(desk.finish(job.lease, completed()) == ledger::FinishOutcome::ended);
  CHECK(desk.log(1) == "queued started completed");
}

TEST_CASE("ledger: of jobs submitted together each claim that stands is given one, the others wait") {
  Desk desk;
  Stander one(desk, "w1"), two(desk, "w2");
  one.stand();
  two.stand();
  std::vector<ledger::Ledger::Submission> jobs;
  for (int i = 1; i <= 4; ++i) jobs.push_back({job_id(i), Desk::request(), "b", "d"});
  int granted = 0;
  for (const auto& submitted : desk.ledger.submit_many(jobs, desk.policy)) {
    REQUIRE(submitted);
    granted += submitted->granted ? 1 : 0;
  }
  CHECK(granted == 2);
  CHECK(one.given().size() == 1);
  CHECK(two.given().size() == 1);
  CHECK(desk.status(3).position == 0);
  CHECK(desk.status(4).position == 1);
}

TEST_CASE("ledger: a grant whose news is lost is found by the claim, made again, and by nobody else") {
  Desk desk;
  Stander worker(desk), other(desk, "w2");
  worker.stand();
  REQUIRE(submitted_and_granted(desk, 1));
  CHECK(other.claim("1", 0ms).empty());
  const auto found = worker.claim("1", 60s, true);
  REQUIRE(found.size() == 1);
  CHECK(found[0].lease == ledger::Lease{job_id(1), 1, WorkerId("w1")});
  CHECK(desk.log(1) == "queued started");
  // The news comes all the same, under a token that is answered already.
  CHECK(worker.given()[0].token == "abc:1");
}

TEST_CASE("ledger: a claim that stands is made again to stand on, and finds what came another way") {
  Desk desk;
  Stander worker(desk);
  worker.stand();
  REQUIRE(worker.claim("1", 60s, true).empty());
  JobRequest pinned = Desk::request();
  pinned.worker_id = WorkerId("w1");
  REQUIRE_FALSE(submitted_and_granted(desk, 1, pinned));
  CHECK(worker.claim("1", 60s, true).size() == 1);
  // It got something, so it stands no longer.
  CHECK_FALSE(submitted_and_granted(desk, 2));
}

TEST_CASE("ledger: a worker that listens no longer is given nothing") {
  Desk desk;
  Stander worker(desk);
  worker.stand();
  worker.grants.reset();
  REQUIRE(eventually([&] { return redis_answer(desk.server.port(), "PUBSUB CHANNELS") == "*0"; }));
  CHECK_FALSE(submitted_and_granted(desk, 1));
  CHECK(desk.status(1).state == JobState::queued);
  CHECK(desk.log(1) == "queued");
}

TEST_CASE("ledger: a claim stands for no longer than it said") {
  Desk desk;
  Stander worker(desk), patient(desk, "w2");
  REQUIRE(worker.grants->listen());
  REQUIRE(worker.claim("1", 1ms).empty());
  patient.stand();
  std::this_thread::sleep_for(5ms);
  REQUIRE(submitted_and_granted(desk, 1));
  CHECK(patient.given().size() == 1);
  CHECK_FALSE(submitted_and_granted(desk, 2));
}

TEST_CASE("ledger: withdrawn with room for nothing, a claim stands no longer, or says what it was given") {
  Desk desk;
  Stander worker(desk);
  worker.stand("1");
  CHECK(worker.claim("1", 0ms, true, 0).empty());
  CHECK_FALSE(submitted_and_granted(desk, 1));
  CHECK(worker.claim("2", 0ms).size() == 1);
  worker.stand("3");
  REQUIRE(submitted_and_granted(desk, 2));
  CHECK(worker.claim("3", 0ms, true, 0).size() == 1);
}

TEST_CASE("ledger: a worker of two models that stands is given one job, not one of each") {
  Desk desk;
  Stander worker(desk, "w1", {"sd15", "sd 2.1"});
  worker.stand();
  REQUIRE(submitted_and_granted(desk, 1, Desk::request("sd 2.1")));
  CHECK_FALSE(submitted_and_granted(desk, 2, Desk::request("sd15")));
  CHECK_FALSE(submitted_and_granted(desk, 3, Desk::request("sd 2.1")));
}

TEST_CASE("ledger: what waits goes before what comes, and a paused model is given to nobody") {
  Desk desk;
  Stander worker(desk);
  REQUIRE(desk.ledger.pause({"sd15"}));
  worker.stand("1");
  CHECK_FALSE(submitted_and_granted(desk, 1));
  REQUIRE(desk.ledger.resume({"sd15"}));
  CHECK(worker.claim("1", 60s, true).size() == 1);

  worker.stand("2");
  REQUIRE(desk.ledger.pause({"sd15"}));
  CHECK_FALSE(submitted_and_granted(desk, 2));
  REQUIRE(desk.ledger.resume({"sd15"}));
  // The claim does not know of the second job, which waits all the same.
  CHECK_FALSE(submitted_and_granted(desk, 3));
  CHECK(worker.claim("2", 60s, true).at(0).lease.job == job_id(2));
}

TEST_CASE("ledger: a job that was given away and comes back is before those that came since") {
  Desk desk;
  Stander worker(desk);
  worker.stand();
  REQUIRE(submitted_and_granted(desk, 1));
  REQUIRE(desk.submit(2));
  JobRequest urgent = Desk::request();
  urgent.priority = 5;
  REQUIRE(desk.submit(3, urgent));
  desk.lose(worker.given()[0].job.lease);
  CHECK(desk.claim_one("w2").job == job_id(3));
  const auto again = desk.claim_one("w2");
  CHECK(again.job == job_id(1));
  CHECK(again.attempt == 2);
  CHECK(desk.claim_one("w2").job == job_id(2));
}

TEST_CASE("ledger: a full queue refuses what would wait, not what is given away at once") {
  Desk desk;
  desk.policy.max_queued = 1;
  REQUIRE(desk.submit(1, Desk::request("sdxl")));
  Stander worker(desk);
  worker.stand();
  CHECK(submitted_and_granted(desk, 2));
  const auto refused = desk.submit(3);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::queue_full);
}

TEST_CASE("ledger: a submission told twice is given away once") {
  Desk desk;
  Stander one(desk, "w1"), two(desk, "w2");
  one.stand();
  two.stand();
  JobRequest request = Desk::request();
  request.idempotency_key.emplace("key");
  REQUIRE(submitted_and_granted(desk, 1, request));
  CHECK_FALSE(submitted_and_granted(desk, 1, request));
  const auto by_key = desk.submit(2, request);
  REQUIRE(by_key);
  CHECK(by_key->job == job_id(1));
  CHECK(desk.ledger.stats()->running == 1);
}

TEST_CASE("ledger: a user of Redis that may not publish submits all the same, and its jobs wait") {
  Desk desk;
  Stander worker(desk);
  worker.stand();
  redis_answer(desk.server.port(), "ACL SETUSER quiet on >word ~* resetchannels +@all -publish");
  ledger::Options options = desk.server.options();
  options.username = "quiet";
  options.password = "word";
  ledger::Ledger quiet(options);
  const auto submitted = quiet.submit(job_id(1), Desk::request(), "b", "d", desk.policy);
  REQUIRE(submitted);
  CHECK_FALSE(submitted->granted);
  CHECK(desk.status(1).position == 0);
}

TEST_CASE("ledger: rubbish on a worker's channel is left out") {
  Desk desk;
  Stander worker(desk);
  worker.stand();
  for (const char* rubbish :
       {"x", "a b c d e f", "abc:1 id 1 5-1 - 99999999999999999999\\nx", "abc:1 id 1 5-1 - 9\\nx"})
    redis_answer(desk.server.port(), std::string("PUBLISH waggle:granted:w1#abc \"") + rubbish + "\"");
  REQUIRE(submitted_and_granted(desk, 1));
  const auto given = worker.given();
  REQUIRE(given.size() == 1);
  CHECK(given[0].job.lease.job == job_id(1));
}

}  // namespace waggle::testing

// Who gets which job, and when: order, fairness, batches, room, back-off, deadlines.
#include "tests/ledger/desk.h"

namespace waggle::testing {
namespace {

std::vector<int> claimed_numbers(const std::vector<ledger::ClaimedJob>& jobs, int of) {
  std::vector<int> numbers;
  for (const auto& job : jobs) {
    for (int i = 1; i <= of; ++i) {
      if (job.lease.job == job_id(i)) numbers.push_back(i);
    }
  }
  return numbers;
}

}  // namespace

TEST_CASE("ledger: the highest priority goes first, then the oldest, over all models of the worker") {
  Desk desk;
  JobRequest high = Desk::request("sdxl");
  high.priority = 10;
  JobRequest low = Desk::request();
  low.priority = -10;
  REQUIRE(desk.submit(1, low));
  REQUIRE(desk.submit(2, Desk::request("sd15")));
  REQUIRE(desk.submit(3, Desk::request("sdxl")));
  REQUIRE(desk.submit(4, Desk::request("sd15")));
  REQUIRE(desk.submit(5, high));
  REQUIRE(desk.submit(6, Desk::request("unserved")));
  CHECK(desk.status(4).position == 1);

  ledger::ClaimQuery query{WorkerId("w1"), {"sd15", "sdxl"}, 10, "", false};
  auto jobs = desk.ledger.claim(query, desk.policy);
  REQUIRE(jobs);
  CHECK(claimed_numbers(*jobs, 6) == std::vector<int>{5, 2, 3, 4, 1});
  CHECK(desk.status(6).position == 0);
}

TEST_CASE("ledger: a tenant with many jobs does not starve one with few") {
  Desk desk;
  const auto of = [](const char* tenant) {
    JobRequest request = Desk::request();
    request.tenant.emplace(tenant);
    return request;
  };
  for (int i = 1; i <= 40; ++i) REQUIRE(desk.submit(i, of("big")));
  CHECK(claimed_numbers(desk.claim("w1", 10), 40).size() == 10);
  for (int i = 41; i <= 43; ++i) REQUIRE(desk.submit(i, of("small")));
  const std::vector<int> next = claimed_numbers(desk.claim("w1", 6), 43);
  CHECK(next == std::vector<int>{11, 41, 12, 42, 13, 43});
  // Having been idle earns no credit: the next of both take turns again.
  REQUIRE(desk.submit(44, of("small")));
  CHECK(claimed_numbers(desk.claim("w1", 2), 44) == std::vector<int>{14, 44});
}

TEST_CASE("ledger: a job that names its worker is claimed by that worker alone") {
  Desk desk;
  JobRequest pinned = Desk::request();
  pinned.worker_id = WorkerId("w2");
  REQUIRE(desk.submit(1, pinned));
  CHECK(desk.claim("w1").empty());
  CHECK(desk.claim("w2").size() == 1);
}

TEST_CASE("ledger: the jobs of one claim share a batch key, and a running batch is joined by its key only") {
  Desk desk;
  REQUIRE(desk.submit(1, Desk::request(), "small"));
  REQUIRE(desk.submit(2, Desk::request(), "large"));
  REQUIRE(desk.submit(3, Desk::request(), "small"));
  REQUIRE(desk.submit(4, Desk::request(), "small"));
  CHECK(claimed_numbers(desk.claim("w1", 2), 4) == std::vector<int>{1, 3});
  auto joined = desk.ledger.claim({WorkerId("w1"), {"sd15"}, 5, "small", true}, desk.policy);
  REQUIRE(joined);
  CHECK(claimed_numbers(*joined, 4) == std::vector<int>{4});
  CHECK(claimed_numbers(desk.claim("w1", 5), 4) == std::vector<int>{2});
  CHECK(desk.claim("w1", 5).empty());
}

TEST_CASE("ledger: no room, no job") {
  Desk desk;
  REQUIRE(desk.submit(1));
  CHECK(desk.claim("w1", 0).empty());
  CHECK(desk.claim("w1", 1).size() == 1);
}

TEST_CASE("ledger: a job on which two workers were lost runs alone") {
  Desk desk;
  for (int loss = 0; loss < 2; ++loss) {
    REQUIRE(desk.submit(1));
    desk.lose(desk.claim_one());
  }
  REQUIRE(desk.submit(2));
  auto first = desk.claim("w1", 5);
  REQUIRE(first.size() == 1);
  CHECK(first[0].lease.job == job_id(1));
  CHECK(first[0].run_alone);
  CHECK(desk.status(1).attempts.size() == 2);
  CHECK(desk.status(1).attempts[0].error.code == ErrorCode::worker_lost);
  CHECK(desk.claim("w1", 5).size() == 1);
  // The third loss uses up the last attempt.
  CHECK(name(desk.lose(first[0].lease).front().event.body) == "dead");
  CHECK(desk.status(1).attempts.size() == 3);
}

TEST_CASE(
    "ledger: nobody joins a running batch ahead of a job that must run alone, but for what came before it") {
  Desk desk;
  REQUIRE(desk.submit(1));
  const auto running = desk.claim("w1", 1);
  REQUIRE(running.size() == 1);
  JobRequest urgent = Desk::request();
  urgent.priority = 1;
  REQUIRE(desk.submit(2));
  for (int loss = 0; loss < 2; ++loss) desk.lose(desk.claim_one("w2"));
  REQUIRE(desk.submit(3));
  REQUIRE(desk.submit(4, urgent));
  const auto join = [&] {
    auto joined = desk.ledger.claim({WorkerId("w1"), {"sd15"}, 5, "b", true}, desk.policy);
    REQUIRE(joined);
    return std::move(joined).value();
  };
  const auto urgent_one = join();
  REQUIRE(urgent_one.size() == 1);
  CHECK(urgent_one[0].lease.job == job_id(4));
  CHECK(join().empty());
  // The batch is over: it is that job's turn, and then company may come again.
  const auto alone = desk.claim("w1", 5);
  REQUIRE(alone.size() == 1);
  CHECK(alone[0].lease.job == job_id(2));
  CHECK(alone[0].run_alone);
  const auto last = join();
  REQUIRE(last.size() == 1);
  CHECK(last[0].lease.job == job_id(3));
}

TEST_CASE("ledger: a failed attempt waits for its back-off, which doubles up to a limit") {
  Desk desk;
  desk.policy.backoff_first = 20ms;
  desk.policy.backoff_max = 30ms;
  REQUIRE(desk.submit(1));
  Event logged;
  const ledger::Lease first = desk.claim_one();
  // The back-off counts from the script's clock, which is a little behind the event's.
  const auto before = desk.ledger.now_ms();
  REQUIRE(before);
  CHECK(desk.finish(first, failed(ErrorCode::device_error), &logged) == ledger::FinishOutcome::requeued);
  CHECK(std::get<RetriedEvent>(logged.body) ==
        RetriedEvent{Error{ErrorCode::device_error, "it did not work"}, 2, 0.02});
  std::vector<ledger::ClaimedJob> again;
  REQUIRE(eventually([&] { return !(again = desk.claim()).empty(); }));
  auto now = desk.ledger.now_ms();
  REQUIRE(now);
  CHECK(*now - *before >= 20);
  CHECK(again[0].lease.attempt == 2);
  desk.finish(again[0].lease, failed(ErrorCode::device_error), &logged);
  CHECK(std::get<RetriedEvent>(logged.body).backoff_s == 0.03);
}

TEST_CASE("ledger: a retried job keeps its place before younger ones") {
  Desk desk;
  REQUIRE(desk.submit(1));
  REQUIRE(desk.submit(2));
  const ledger::Lease lease = desk.claim_one();
  CHECK(desk.finish(lease, failed(ErrorCode::device_error)) == ledger::FinishOutcome::requeued);
  CHECK(desk.claim_one().job == job_id(1));
}

TEST_CASE("ledger: a job past its deadline is not started, and ends expired") {
  Desk desk;
  JobRequest hurried = Desk::request();
  hurried.deadline_s = 0.001;
  REQUIRE(desk.submit(1, hurried));
  REQUIRE(desk.submit(2));
  const std::int64_t submitted = desk.status(1).submitted_at_ms;
  REQUIRE(eventually([&] { return *desk.ledger.now_ms() > submitted + 1; }));
  CHECK(desk.claim_one().job == job_id(2));
  const auto reaped = desk.reap();
  REQUIRE(reaped.size() == 1);
  CHECK(name(reaped[0].event.body) == "expired");
  CHECK(desk.status(1).state == JobState::expired);
  CHECK(desk.status(1).error->code == ErrorCode::deadline_exceeded);
}

TEST_CASE("ledger: a running job past its deadline is taken from its worker") {
  Desk desk;
  JobRequest hurried = Desk::request();
  hurried.deadline_s = 0.1;
  REQUIRE(desk.submit(1, hurried));
  const ledger::Lease lease = desk.claim_one();
  REQUIRE(eventually([&] { return !desk.reap().empty(); }));
  CHECK(desk.finish(lease, completed()) == ledger::FinishOutcome::refused);
  CHECK(desk.log(1) == "queued started expired");
}

TEST_CASE("ledger: a full queue refuses and says when to come back") {
  Desk desk;
  desk.policy.max_queued = 2;
  REQUIRE(desk.submit(1));
  REQUIRE(desk.submit(2));
  auto third = desk.submit(3);
  REQUIRE_FALSE(third);
  CHECK(third.error().code == ErrorCode::queue_full);
  CHECK(third.error().retry_after_s == 2.0);
  desk.claim_one();
  CHECK(desk.submit(3));
  // A repeated submission of an accepted job is no new job.
  CHECK(desk.submit(3));
}

TEST_CASE("ledger: reaping stops at its limit and goes on at the next call") {
  Desk desk;
  desk.policy.lease = 1ms;
  for (int i = 1; i <= 5; ++i) REQUIRE(desk.submit(i));
  REQUIRE(desk.claim("w1", 5).size() == 5);
  const std::int64_t claimed = *desk.ledger.now_ms();
  REQUIRE(eventually([&] { return *desk.ledger.now_ms() > claimed + 2; }));
  CHECK(desk.reap(2).size() == 2);
  CHECK(desk.reap(10).size() == 3);
  CHECK(desk.reap(10).empty());
}

}  // namespace waggle::testing

// What goes in one round trip: many submissions, and the last image with the end.
#include "tests/ledger/desk.h"

namespace waggle::testing {
namespace {

ledger::Ledger::Submission submission(int number, std::optional<std::string> key = {}) {
  JobRequest request = Desk::request();
  request.idempotency_key = std::move(key);
  return {job_id(number), std::move(request), "b", "digest"};
}

const ledger::NewImage kImage{{0, 7, OutputFormat::png, 64, 64, 5}, "bytes"};

}  // namespace

TEST_CASE("ledger: many jobs at once are queued in their order, on a Redis that knows no script yet") {
  Desk desk;
  std::vector<ledger::Ledger::Submission> jobs;
  for (int i = 0; i < 50; ++i) jobs.push_back(submission(i));
  const auto outcomes = desk.ledger.submit_many(jobs, desk.policy);
  REQUIRE(outcomes.size() == 50);
  for (int i = 0; i < 50; ++i) {
    const auto& outcome = outcomes[static_cast<std::size_t>(i)];
    REQUIRE(outcome);
    CHECK(outcome->accepted.job == job_id(i));
    CHECK(outcome->accepted.position == i);
    REQUIRE(outcome->queued);
    CHECK(outcome->queued->job == job_id(i));
  }
  CHECK(desk.claim_one().job == job_id(0));
  CHECK(desk.claim_one().job == job_id(1));
}

TEST_CASE("ledger: of many jobs each is accepted or refused by itself") {
  Desk desk;
  desk.policy.max_queued = 3;
  const auto outcomes = desk.ledger.submit_many(
      {submission(0, "key"), submission(1, "key"), submission(2), submission(3), submission(4)}, desk.policy);
  REQUIRE(outcomes.size() == 5);
  REQUIRE(outcomes[1]);
  CHECK(outcomes[1]->accepted.job == job_id(0));
  CHECK(outcomes[1]->accepted.duplicate);
  CHECK(outcomes[2].has_value());
  CHECK(outcomes[3].has_value());
  REQUIRE_FALSE(outcomes[4]);
  CHECK(outcomes[4].error().code == ErrorCode::queue_full);
  CHECK(desk.ledger.submit_many({}, desk.policy).empty());
}

TEST_CASE("ledger: with Redis away, every one of many jobs is told so") {
  Desk desk;
  REQUIRE(desk.submit(0));
  desk.server.kill9();
  const auto outcomes = desk.ledger.submit_many({submission(1), submission(2), submission(3)}, desk.policy);
  REQUIRE(outcomes.size() == 3);
  for (const auto& outcome : outcomes) {
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::unavailable);
  }
  desk.server.restart();
  const auto again = desk.ledger.submit_many({submission(1), submission(2), submission(3)}, desk.policy);
  REQUIRE(again.size() == 3);
  CHECK(again[2].has_value());
}

TEST_CASE("ledger: an image that comes with the end is kept with it") {
  Desk desk;
  REQUIRE(desk.submit(0));
  const ledger::Lease lease = desk.claim_one();
  Event event;
  event.body = completed();
  const auto outcome = desk.ledger.finish(lease, event, desk.policy, {kImage});
  REQUIRE(outcome);
  CHECK(*outcome == ledger::FinishOutcome::ended);
  CHECK(desk.status(0).images == std::vector<ImageInfo>{kImage.info});
  CHECK(desk.ledger.image(job_id(0), 0).value_or("") == "bytes");
  // Told twice, because nobody knew whether the first time counted.
  const auto again = desk.ledger.finish(lease, event, desk.policy, {kImage});
  REQUIRE(again);
  CHECK(*again == ledger::FinishOutcome::ended);
  CHECK(desk.log(0) == "queued started completed");
}

TEST_CASE("ledger: attempts that end together end each by itself, and once") {
  Desk desk;
  for (int i = 0; i < 4; ++i) REQUIRE(desk.submit(i));
  const auto claimed = desk.claim("w1", 4);
  REQUIRE(claimed.size() == 4);
  REQUIRE(desk.ledger.cancel(job_id(2), desk.policy));
  desk.lose(claimed[3].lease);
  std::vector<ledger::Ending> endings;
  for (const ledger::ClaimedJob& job : claimed) {
    Event event;
    event.body = completed();
    endings.push_back({job.lease, event, {kImage}});
  }
  endings[1].event.body = failed(ErrorCode::device_error);
  endings.push_back(endings[0]);  // the same once more
  const auto outcomes = desk.ledger.finish_many(endings, desk.policy);
  REQUIRE(outcomes.size() == 5);
  const auto came_to = [&](std::size_t i) { return outcomes[i].value_or(ledger::FinishOutcome::dead); };
  CHECK(came_to(0) == ledger::FinishOutcome::ended);
  CHECK(came_to(1) == ledger::FinishOutcome::requeued);
  CHECK(came_to(2) == ledger::FinishOutcome::cancelled);
  CHECK(came_to(3) == ledger::FinishOutcome::refused);
  CHECK(came_to(4) == ledger::FinishOutcome::ended);
  CHECK(endings[4].event.id == endings[0].event.id);
  CHECK(name(endings[1].event.body) == "retried");
  CHECK(desk.log(0) == "queued started completed");
  CHECK(desk.log(1) == "queued started retried");
  CHECK(desk.log(2) == "queued started cancelled");
  CHECK(desk.ledger.image(job_id(0), 0).value_or("") == "bytes");
  CHECK(desk.status(3).images.empty());
  const auto counts = desk.ledger.stats();
  REQUIRE(counts);
  CHECK(counts->completed == 1);
  CHECK(counts->cancelled == 1);
  CHECK(counts->queued == 2);
  CHECK(counts->running == 0);
}

TEST_CASE("ledger: an attempt that lost its lease leaves no image with its end") {
  Desk desk;
  REQUIRE(desk.submit(0));
  const ledger::Lease lost = desk.claim_one("w1");
  desk.lose(lost);
  const ledger::Lease now = desk.claim_one("w2");
  Event event;
  event.body = completed();
  const auto outcome = desk.ledger.finish(lost, event, desk.policy, {kImage});
  REQUIRE(outcome);
  CHECK(*outcome == ledger::FinishOutcome::refused);
  CHECK(desk.status(0).images.empty());
  CHECK(now.attempt == 2);
}

TEST_CASE("ledger: an image that comes with a retryable failure is not rendered again") {
  Desk desk;
  REQUIRE(desk.submit(0));
  Event event;
  event.body = failed(ErrorCode::device_error);
  REQUIRE(desk.ledger.finish(desk.claim_one(), event, desk.policy, {kImage}));
  const auto claimed = desk.claim("w2");
  REQUIRE(claimed.size() == 1);
  CHECK(claimed[0].images_done == std::vector<ImageInfo>{kImage.info});
}

}  // namespace waggle::testing

// What the record says: submission told twice, status, lists, events, pictures, retention.
#include <set>
#include <thread>

#include "schemas/limits.h"
#include "tests/ledger/desk.h"

namespace waggle::testing {

TEST_CASE("ledger: the same submission twice is one job") {
  Desk desk;
  auto first = desk.submit(1);
  auto again = desk.submit(1);
  REQUIRE(first);
  REQUIRE(again);
  CHECK(*first == *again);
  CHECK(desk.log(1) == "queued");
  CHECK(desk.ledger.stats()->queued == 1);
}

TEST_CASE("ledger: a submission and a claim give back the events that they logged") {
  Desk desk;
  const auto submit = [&] {
    return desk.ledger.submit(job_id(1), Desk::request(), "b", "digest", desk.policy);
  };
  const auto submitted = submit();
  REQUIRE(submitted);
  REQUIRE(submitted->queued);
  CHECK(submit()->queued == submitted->queued);
  const auto claimed = desk.claim();
  REQUIRE(claimed.size() == 1);
  CHECK(claimed[0].started.attempt == 1);
  CHECK(std::get<StartedEvent>(claimed[0].started.body).worker == WorkerId("w1"));
  const auto page = desk.ledger.events(job_id(1), EventId());
  REQUIRE(page);
  CHECK(page->events == std::vector<Event>{*submitted->queued, claimed[0].started});
}

TEST_CASE("ledger: one idempotency key of one tenant is one job") {
  Desk desk;
  JobRequest request = Desk::request();
  request.idempotency_key.emplace("k");
  request.tenant.emplace("a");
  REQUIRE(desk.submit(1, request));
  auto same = desk.submit(2, request);
  REQUIRE(same);
  CHECK(same->job == job_id(1));
  CHECK(same->duplicate);
  auto other = desk.ledger.submit(job_id(3), request, "b", "another digest", desk.policy);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::idempotency_conflict);
  request.tenant.emplace("b");
  CHECK(desk.submit(4, request)->job == job_id(4));
}

TEST_CASE("ledger: a request comes back as it was submitted") {
  Desk desk;
  JobRequest request = Desk::request();
  request.prompt = "\xc3\xa9 \"quoted\" \n line";
  request.seed = limits::kMaxSeed;
  REQUIRE(desk.submit(1, request));
  REQUIRE(desk.ledger.request(job_id(1)));
  CHECK(*desk.ledger.request(job_id(1)) == request);
  CHECK(desk.claim()[0].request == request);
  CHECK(desk.ledger.request(job_id(2)).error().code == ErrorCode::unknown_job);
}

TEST_CASE("ledger: every call about a job that never was says so") {
  Desk desk;
  const JobId nobody = job_id(99);
  CHECK(desk.ledger.status(nobody).error().code == ErrorCode::unknown_job);
  CHECK(desk.ledger.events(nobody, EventId()).error().code == ErrorCode::unknown_job);
  CHECK(desk.ledger.image(nobody, 0).error().code == ErrorCode::unknown_job);
  CHECK(desk.ledger.cancel(nobody, desk.policy).error().code == ErrorCode::unknown_job);
  CHECK(desk.ledger.requeue(nobody, desk.policy).error().code == ErrorCode::unknown_job);
  CHECK(desk.finish({nobody, 1, WorkerId("w1")}, completed()) == ledger::FinishOutcome::refused);
  CHECK(desk.ledger.renew({{nobody, 1, WorkerId("w1")}}, desk.policy)->lost == std::vector<JobId>{nobody});
}

TEST_CASE("ledger: events are numbered, timed, in order, and paged without a gap or a repeat") {
  Desk desk;
  REQUIRE(desk.submit(1));
  const ledger::Lease lease = desk.claim_one();
  for (int step = 1; step <= 4; ++step) {
    Event event;
    event.body = ProgressEvent{step, 4, 25.0 * step};
    auto id = desk.ledger.append(lease, event, desk.policy);
    REQUIRE(id);
    CHECK(event.id == *id);
    CHECK(event.attempt == 1);
    CHECK(event.at_ms > 0);
  }
  CHECK(desk.status(1).step == 4);
  CHECK(desk.status(1).total_steps == 4);
  desk.finish(lease, completed());

  std::vector<Event> read;
  EventId after;
  while (true) {
    auto page = desk.ledger.events(job_id(1), after, 2);
    REQUIRE(page);
    CHECK_FALSE(page->truncated);
    if (page->events.empty()) break;
    read.insert(read.end(), page->events.begin(), page->events.end());
    after = page->events.back().id;
  }
  REQUIRE(read.size() == 7);
  CHECK(name(read.front().body) == "queued");
  CHECK(std::get<ProgressEvent>(read[3].body).step == 2);
  CHECK(std::get<CompletedEvent>(read.back().body).seed == 7);
}

TEST_CASE("ledger: a long log is trimmed at its beginning, says so, and keeps its end") {
  Desk desk;
  desk.policy.max_events_per_job = 10;
  REQUIRE(desk.submit(1));
  const ledger::Lease lease = desk.claim_one();
  EventId early;
  for (int step = 1; step <= 500; ++step) {
    Event event;
    event.body = ProgressEvent{step, 500, 0.2 * step};
    auto id = desk.ledger.append(lease, event, desk.policy);
    REQUIRE(id);
    if (step == 5) early = *id;
  }
  desk.finish(lease, completed());
  auto page = desk.ledger.events(job_id(1), early);
  REQUIRE(page);
  CHECK(page->truncated);
  CHECK(page->events.size() < 300);
  CHECK(name(page->events.back().body) == "completed");
  CHECK_FALSE(desk.ledger.events(job_id(1), page->events.front().id)->truncated);
}

TEST_CASE("ledger: images are committed one by one and are there for the next attempt") {
  Desk desk;
  REQUIRE(desk.submit(1));
  const ledger::Lease first = desk.claim_one();
  const ImageInfo info{0, 42, OutputFormat::png, 64, 64, 5};
  REQUIRE(desk.ledger.commit_image(first, info, std::string_view("a\0b\r\n", 5), desk.policy));
  desk.lose(first);
  auto second = desk.claim();
  REQUIRE(second.size() == 1);
  CHECK(second[0].images_done == std::vector<ImageInfo>{info});
  // The lost worker can neither report nor commit nor renew.
  Event late;
  late.body = ProgressEvent{1, 4, 25};
  CHECK(desk.ledger.append(first, late, desk.policy).error().code == ErrorCode::lease_lost);
  CHECK(
      desk.ledger.commit_image(first, {1, 43, OutputFormat::png, 64, 64, 1}, "x", desk.policy).error().code ==
      ErrorCode::lease_lost);
  CHECK(desk.ledger.renew({first}, desk.policy)->lost.size() == 1);

  desk.finish(second[0].lease, completed());
  CHECK(*desk.ledger.image(job_id(1), 0) == std::string_view("a\0b\r\n", 5));
  CHECK(desk.ledger.image(job_id(1), 1).error().code == ErrorCode::not_found);
  CHECK(desk.status(1).images == std::vector<ImageInfo>{info});
}

TEST_CASE("ledger: another worker with the right attempt number is refused") {
  Desk desk;
  REQUIRE(desk.submit(1));
  ledger::Lease lease = desk.claim_one();
  lease.worker = WorkerId("w2");
  CHECK(desk.finish(lease, completed()) == ledger::FinishOutcome::refused);
}

TEST_CASE("ledger: a renewal tells of cancelled jobs") {
  Desk desk;
  REQUIRE(desk.submit(1));
  const ledger::Lease lease = desk.claim_one();
  auto cancelled = desk.ledger.cancel(job_id(1), desk.policy);
  REQUIRE(cancelled);
  CHECK(cancelled->worker == WorkerId("w1"));
  auto renewed = desk.ledger.renew({lease}, desk.policy);
  REQUIRE(renewed);
  CHECK(renewed->lost.empty());
  CHECK(renewed->cancel_requested == std::vector<JobId>{job_id(1)});
}

TEST_CASE("ledger: jobs are listed newest first, by pages and by state") {
  Desk desk;
  for (int i = 1; i <= 5; ++i) REQUIRE(desk.submit(i));
  desk.claim_one();
  auto page = desk.ledger.list({{}, 3, ""});
  REQUIRE(page);
  REQUIRE(page->jobs.size() == 3);
  CHECK(page->jobs[0].id == job_id(5));
  page = desk.ledger.list({{}, 3, page->next_cursor});
  REQUIRE(page->jobs.size() == 2);
  CHECK(page->jobs[1].id == job_id(1));
  CHECK(page->next_cursor.empty());
  auto running = desk.ledger.list({JobState::running, 10, ""});
  REQUIRE(running->jobs.size() == 1);
  CHECK(running->jobs[0].worker == WorkerId("w1"));

  // One that runs is among those that wait in the index, and on no page of them.
  auto queued = desk.ledger.list({JobState::queued, 3, ""});
  REQUIRE(queued->jobs.size() == 3);
  CHECK(queued->jobs[2].id == job_id(3));
  queued = desk.ledger.list({JobState::queued, 3, queued->next_cursor});
  REQUIRE(queued->jobs.size() == 1);
  CHECK(queued->jobs[0].id == job_id(2));
  CHECK(queued->next_cursor.empty());
}

TEST_CASE("ledger: a page of no jobs, or of more than a thousand, is refused") {
  Desk desk;
  for (const int limit : {-1, 0, ledger::kMaxListed + 1}) {
    INFO(limit);
    const auto page = desk.ledger.list({{}, limit, ""});
    REQUIRE_FALSE(page);
    CHECK(page.error().code == ErrorCode::invalid_request);
    CHECK(page.error().fields.at(0).path == "/limit");
  }
  CHECK(desk.ledger.list({{}, ledger::kMaxListed, ""}));
}

TEST_CASE("ledger: a retired record is expired, not unknown, and leaves no list behind") {
  Desk desk;
  REQUIRE(desk.submit(1));
  desk.policy.job_ttl = 1s;
  desk.finish(desk.claim_one(), completed());
  CHECK(desk.status(1).state == JobState::completed);
  REQUIRE(eventually([&] {
    desk.reap();
    return !desk.ledger.status(job_id(1));
  }));
  CHECK(desk.ledger.status(job_id(1)).error().code == ErrorCode::job_expired);
  CHECK(desk.ledger.list({})->jobs.empty());
  CHECK(desk.ledger.stats()->completed == 0);
  // As long again, and then nothing is left of it.
  REQUIRE(eventually([&] {
    desk.reap();
    return desk.ledger.status(job_id(1)).error().code == ErrorCode::unknown_job;
  }));
}

TEST_CASE(
    "ledger: a job that was requeued by hand outlives its first end, and is kept as long after its second") {
  Desk desk;
  desk.policy.job_ttl = 1s;
  REQUIRE(desk.submit(1));
  desk.finish(desk.claim_one(), failed(ErrorCode::invalid_request));
  REQUIRE(desk.status(1).state == JobState::failed);
  REQUIRE(desk.ledger.requeue(job_id(1), desk.policy));
  CHECK_FALSE(desk.status(1).worker);
  CHECK_FALSE(desk.status(1).started_at_ms);
  CHECK(desk.status(1).attempt == 1);

  // Longer than the record of an ended job is kept, with the reaper at work all the time.
  const auto later = std::chrono::steady_clock::now() + 1500ms;
  while (std::chrono::steady_clock::now() < later) {
    desk.reap();
    std::this_thread::sleep_for(20ms);
  }
  CHECK(desk.status(1).state == JobState::queued);
  const ledger::Lease lease = desk.claim_one();
  CHECK(lease.attempt == 2);
  desk.finish(lease, completed());
  desk.reap();
  CHECK(desk.status(1).state == JobState::completed);
  CHECK(eventually([&] {
    desk.reap();
    return !desk.ledger.status(job_id(1));
  }));
}

TEST_CASE("ledger: an input picture is stored once and held while a job needs it") {
  Desk desk;
  desk.policy.image_ttl = 1s;
  auto blob = desk.ledger.put_blob("not really a picture", desk.policy);
  REQUIRE(blob);
  CHECK(blob->value.starts_with("sha256:"));
  CHECK(*desk.ledger.put_blob("not really a picture", desk.policy) == *blob);
  auto other = desk.ledger.put_blob("nobody needs this", desk.policy);
  REQUIRE(other);

  JobRequest request = Desk::request();
  request.operation = ImageTransform{PictureInput{*blob}, 0.5, {}, {}};
  REQUIRE(desk.submit(1, request));
  REQUIRE(eventually([&] { return !desk.ledger.blob(*other); }));
  CHECK(*desk.ledger.blob(*blob) == "not really a picture");
  desk.policy.job_ttl = 1s;
  desk.finish(desk.claim_one(), completed());
  CHECK(eventually([&] { return !desk.ledger.blob(*blob); }));

  auto missing = desk.submit(2, request);
  REQUIRE_FALSE(missing);
  REQUIRE(missing.error().fields.size() == 1);
  CHECK(missing.error().fields[0].path == "/input_image");
}

TEST_CASE("ledger: workers are listed while they renew themselves") {
  Desk desk;
  WorkerInfo info;
  info.id = WorkerId("w1");
  info.device = "cpu";
  REQUIRE(desk.ledger.put_worker(info, 60s));
  REQUIRE(desk.ledger.workers()->size() == 1);
  CHECK(desk.ledger.workers()->front().id == info.id);
  CHECK(desk.ledger.stats()->workers == 1);
  REQUIRE(desk.ledger.remove_worker(info.id));
  CHECK(desk.ledger.workers()->empty());
  REQUIRE(desk.ledger.put_worker(info, 1ms));
  CHECK(eventually([&] { return desk.ledger.workers()->empty(); }));
}

TEST_CASE("ledger: one queen at a time holds the reaper's lock") {
  Desk desk;
  CHECK(*desk.ledger.hold_reaper_lock("q1", 60s));
  CHECK(*desk.ledger.hold_reaper_lock("q1", 1ms));
  CHECK(eventually([&] { return *desk.ledger.hold_reaper_lock("q2", 60s); }));
  CHECK_FALSE(*desk.ledger.hold_reaper_lock("q1", 60s));
}

}  // namespace waggle::testing

// How much the record may hold: bytes of what waits, bytes of what is kept, and how it comes back to nothing.
#include "tests/ledger/desk.h"

namespace waggle::testing {
namespace {

std::int64_t queued_bytes(Desk& desk) { return desk.ledger.stats()->queued_bytes; }

/// A job that begins with this picture.
JobRequest from_picture(const BlobId& picture) {
  JobRequest request = Desk::request();
  request.operation = ImageTransform{PictureInput{picture}, 0.5, {}, {}};
  return request;
}

/// Claims the job and ends it with one image of so many bytes.
void complete(Desk& desk, int number, std::size_t bytes) {
  REQUIRE(desk.submit(number));
  const ledger::Lease lease = desk.claim_one();
  const std::string image(bytes, 'x');
  Event event;
  event.body = completed();
  const ImageInfo info{0, 1, OutputFormat::png, 8, 8, static_cast<std::int64_t>(bytes)};
  REQUIRE(desk.ledger.finish(lease, event, desk.policy, {{info, image}}));
}

ErrorCode image_error(Desk& desk, int number) {
  const auto image = desk.ledger.image(job_id(number), 0);
  REQUIRE_FALSE(image);
  return image.error().code;
}

}  // namespace

TEST_CASE("ledger: a queue with too many bytes refuses, and says which limit that is") {
  Desk desk;
  REQUIRE(desk.submit(1));
  const std::int64_t one = queued_bytes(desk);
  CHECK(one > 0);
  desk.policy.max_queued_bytes = 2 * one + one / 2;
  REQUIRE(desk.submit(2));
  const auto third = desk.submit(3);
  REQUIRE_FALSE(third);
  CHECK(third.error().code == ErrorCode::queue_full);
  CHECK(third.error().retry_after_s == 2.0);
  CHECK(third.error().message.find("max-queued-bytes") != std::string::npos);
  desk.policy.max_queued = 2;
  CHECK(desk.submit(3).error().message.find("(max-queued)") != std::string::npos);

  // Room comes with an end, whichever it is; a claim alone makes none.
  desk.policy.max_queued = 100;
  const ledger::Lease lease = desk.claim_one();
  CHECK_FALSE(desk.submit(3));
  desk.finish(lease, completed());
  CHECK(desk.submit(3));
}

TEST_CASE("ledger: bytes of what waits come back to nothing, however the jobs end") {
  Desk desk;
  JobRequest hurried = Desk::request();
  hurried.deadline_s = 0.001;
  for (int i = 1; i <= 4; ++i) REQUIRE(desk.submit(i));
  REQUIRE(desk.submit(5, hurried));
  desk.finish(desk.claim_one(), completed());
  desk.finish(desk.claim_one(), failed(ErrorCode::invalid_request));
  const ledger::Lease lease = desk.claim_one();
  desk.finish(lease, failed(ErrorCode::device_error));  // waits again
  REQUIRE(desk.ledger.cancel(job_id(3), desk.policy));
  REQUIRE(desk.ledger.cancel(job_id(4), desk.policy));
  REQUIRE(eventually([&] { return desk.reap().size() == 1; }));
  CHECK(queued_bytes(desk) == 0);
  REQUIRE(desk.ledger.requeue(job_id(3), desk.policy));
  CHECK(queued_bytes(desk) > 0);
  REQUIRE(desk.ledger.cancel(job_id(3), desk.policy));
  CHECK(queued_bytes(desk) == 0);
}

TEST_CASE("ledger: while Redis's memory is full submissions are refused, and what was accepted ends") {
  Desk desk;
  REQUIRE(desk.submit(1));
  REQUIRE(desk.submit(2));
  const ledger::Lease lease = desk.claim_one();
  REQUIRE(redis_answer(desk.server.port(), "CONFIG SET maxmemory 1") == "+OK");
  const auto refused = desk.submit(3);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::queue_full);
  CHECK_FALSE(desk.ledger.put_blob("not really a picture", desk.policy));
  CHECK(desk.ledger.renew({lease}, desk.policy)->lost.empty());
  Event event;
  event.body = ProgressEvent{1, 4, 25};
  CHECK(desk.ledger.append(lease, event, desk.policy));

  // An image needs room; the end of its attempt does not.
  event.body = completed();
  const ledger::NewImage image{{0, 7, OutputFormat::png, 8, 8, 5}, "bytes"};
  const auto without_room = desk.ledger.finish(lease, event, desk.policy, {image});
  REQUIRE_FALSE(without_room);
  CHECK(without_room.error().code == ErrorCode::queue_full);
  CHECK(desk.status(1).state == JobState::running);
  CHECK(desk.finish(lease, failed(ErrorCode::invalid_request)) == ledger::FinishOutcome::ended);
  CHECK(desk.finish(desk.claim_one(), completed()) == ledger::FinishOutcome::ended);
  CHECK(desk.status(2).state == JobState::completed);
}

TEST_CASE("ledger: a picture counts once for all jobs that need it, as long as one does") {
  Desk desk;
  constexpr std::int64_t kPicture = 100'000;
  const auto blob = desk.ledger.put_blob(std::string(kPicture, 'p'), desk.policy);
  REQUIRE(blob);
  CHECK(queued_bytes(desk) == 0);
  REQUIRE(desk.submit(1, from_picture(*blob)));
  const std::int64_t with_one = queued_bytes(desk);
  CHECK(with_one > kPicture);
  REQUIRE(desk.submit(2, from_picture(*blob)));
  CHECK(queued_bytes(desk) < 2 * kPicture);
  REQUIRE(desk.ledger.cancel(job_id(1), desk.policy));
  CHECK(queued_bytes(desk) == with_one);

  // What does not fit is refused before its bytes are sent, and with the job that brings it.
  desk.policy.max_queued_bytes = 150'000;
  const auto second = desk.ledger.put_blob(std::string(kPicture, 'q'), desk.policy);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::queue_full);
  desk.policy.max_queued_bytes = 0;  // no limit
  const auto third = desk.ledger.put_blob(std::string(kPicture, 'r'), desk.policy);
  REQUIRE(third);
  desk.policy.max_queued_bytes = 150'000;
  CHECK(desk.submit(3, from_picture(*third)).error().code == ErrorCode::queue_full);
  CHECK(desk.submit(3, from_picture(*blob)));
  REQUIRE(desk.ledger.cancel(job_id(2), desk.policy));
  REQUIRE(desk.ledger.cancel(job_id(3), desk.policy));
  CHECK(queued_bytes(desk) == 0);
}

TEST_CASE("ledger: above the byte budget the images of the jobs that ended first go first") {
  Desk desk;
  for (int i = 1; i <= 4; ++i) complete(desk, i, 1000);
  CHECK(desk.ledger.stats()->image_bytes == 4000);
  desk.policy.max_image_bytes = 2500;
  desk.reap();
  CHECK(desk.ledger.stats()->image_bytes == 2000);
  CHECK(desk.ledger.stats()->images_evicted == 2);
  CHECK(image_error(desk, 1) == ErrorCode::job_expired);
  CHECK(image_error(desk, 2) == ErrorCode::job_expired);
  CHECK(desk.ledger.image(job_id(3), 0));
  CHECK(desk.ledger.image(job_id(4), 0));
  // The record stays: what the images were is still known.
  CHECK(desk.status(1).state == JobState::completed);
  CHECK(desk.status(1).images.size() == 1);
}

TEST_CASE("ledger: images of a job that runs are not evicted") {
  Desk desk;
  desk.policy.max_image_bytes = 10;
  REQUIRE(desk.submit(1));
  const ledger::Lease lease = desk.claim_one();
  REQUIRE(desk.ledger.commit_image(lease, {0, 1, OutputFormat::png, 8, 8, 100}, std::string(100, 'x'),
                                   desk.policy));
  desk.reap();
  CHECK(desk.ledger.image(job_id(1), 0));
  desk.finish(lease, completed());
  desk.reap();
  CHECK(image_error(desk, 1) == ErrorCode::job_expired);
  CHECK(desk.ledger.stats()->image_bytes == 0);
}

TEST_CASE("ledger: images whose time is over no longer count") {
  Desk desk;
  desk.policy.image_ttl = 1s;
  complete(desk, 1, 500);
  CHECK(desk.ledger.stats()->image_bytes == 500);
  CHECK(eventually([&] {
    desk.reap();
    return desk.ledger.stats()->image_bytes == 0;
  }));
  // Redis drops the image itself a moment before or after.
  CHECK(eventually([&] { return !desk.ledger.image(job_id(1), 0); }));
  CHECK(image_error(desk, 1) == ErrorCode::job_expired);
  CHECK(desk.ledger.stats()->images_evicted == 0);
}

TEST_CASE("ledger: the images of a job that runs again count when it has ended again") {
  Desk desk;
  REQUIRE(desk.submit(1));
  Event event;
  event.body = failed(ErrorCode::invalid_request);
  const ImageInfo info{0, 1, OutputFormat::png, 8, 8, 700};
  REQUIRE(desk.ledger.finish(desk.claim_one(), event, desk.policy, {{info, std::string(700, 'x')}}));
  CHECK(desk.ledger.stats()->image_bytes == 700);
  REQUIRE(desk.ledger.requeue(job_id(1), desk.policy));
  CHECK(desk.ledger.stats()->image_bytes == 0);
  desk.finish(desk.claim_one(), completed());
  CHECK(desk.ledger.stats()->image_bytes == 700);
}

TEST_CASE("ledger: more to reap than one round may do is said, retired records included") {
  Desk desk;
  desk.policy.job_ttl = 1s;
  for (int i = 1; i <= 5; ++i) complete(desk, i, 10);
  const std::int64_t last = desk.status(5).finished_at_ms.value_or(0);
  REQUIRE(eventually([&] { return desk.ledger.now_ms().value_or(0) > last + 1000; }));
  int rounds = 1;
  for (; desk.ledger.reap(desk.policy, 2)->more; ++rounds) REQUIRE(rounds < 20);
  CHECK(rounds > 2);
  CHECK(desk.ledger.list({})->jobs.empty());
}

}  // namespace waggle::testing

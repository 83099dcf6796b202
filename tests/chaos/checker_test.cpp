// The checker must see what it is there for: each case breaks one promise of a job that is otherwise all
// right.
#include "tests/chaos/checker.h"

#include <catch2/catch.hpp>

#include "pipeline/image/picture.h"

namespace waggle::chaos {
namespace {

const JobId kJob("0190d0d0-0000-7000-8000-000000000001");
constexpr std::int64_t kSeed = 0x010203;

std::string picture(std::int64_t seed) {
  const auto byte = [seed](int i) { return static_cast<std::uint8_t>(seed >> (8 * i)); };
  return pipeline::encode({1, 1, 3, {byte(2), byte(1), byte(0)}}, OutputFormat::png);
}

/// A job that was lost once, then completed, with everything as it should be.
struct Good {
  Good() {
    planned.request.seed = kSeed;
    planned.request.max_attempts = 3;
    planned.streamed = true;
    log(0, QueuedEvent{});
    log(1, StartedEvent{WorkerId("a")});
    log(1, ProgressEvent{1, 2, 50});
    log(1, RetriedEvent{Error{ErrorCode::worker_lost, "gone"}, 2, 1});
    log(2, StartedEvent{WorkerId("b")});
    log(2, ProgressEvent{1, 2, 50});
    log(2, ProgressEvent{2, 2, 100});
    log(2, CompletedEvent{});
    told.ids = {kJob};
    told.last_line = "[DONE]";
    told.bus = {{EventId("2-0"), "started"}, {EventId("2-0"), "started"}};
    kept.status.emplace();
    kept.status->state = JobState::completed;
    kept.status->images = {{0, kSeed, OutputFormat::png, 1, 1, 1}};
    kept.images[0] = picture(kSeed);
    for (const Event& event : kept.events) {
      const bool end = std::holds_alternative<CompletedEvent>(event.body);
      told.stream.push_back({event.id, end ? "complete" : std::string(name(event.body))});
    }
  }
  void log(int attempt, EventBody body) {
    Event event;
    event.job = kJob;
    event.id = EventId(std::to_string(kept.events.size() + 1) + "-0");
    event.attempt = attempt;
    event.body = std::move(body);
    kept.events.push_back(std::move(event));
  }
  /// The one complaint; "" when there is none.
  [[nodiscard]] std::string complaint() const {
    std::string all;
    for (const std::string& line : check_job(planned, told, kept)) all += (all.empty() ? "" : "; ") + line;
    return all;
  }
  PlannedJob planned;
  Told told;
  Kept kept;
};

}  // namespace

using Catch::Contains;

TEST_CASE("chaos checker: a job that kept every promise gets no complaint") {
  CHECK(Good().complaint().empty());
}

TEST_CASE("chaos checker: a job that nobody has a record of is lost") {
  Good job;
  job.kept = Kept();
  CHECK_THAT(job.complaint(), Contains("lost"));
}

TEST_CASE("chaos checker: two jobs under one idempotency key") {
  Good job;
  job.told.ids.insert(JobId("another"));
  CHECK_THAT(job.complaint(), Contains("two ids"));
}

TEST_CASE("chaos checker: a job that ended twice, or goes on after its end") {
  Good twice;
  twice.log(2, CompletedEvent{});
  CHECK_THAT(twice.complaint(), Contains("2 ends"));
  Good after;
  after.log(2, ProgressEvent{2, 2, 100});
  CHECK_THAT(after.complaint(), Contains("an event after the end"));
  Good never;
  never.kept.events.pop_back();
  never.kept.status->state = JobState::running;
  CHECK_THAT(never.complaint(), Contains("never ended"));
}

TEST_CASE("chaos checker: a stale attempt that still speaks") {
  Good progress;
  progress.kept.events[6].attempt = 1;
  CHECK_THAT(progress.complaint(), Contains("stale attempt"));
  Good result;
  result.kept.events.back().attempt = 1;
  CHECK_THAT(result.complaint(), Contains("stale attempt"));
  Good gone;
  std::swap(gone.kept.events[2], gone.kept.events[3]);
  CHECK_THAT(gone.complaint(), Contains("no attempt ran"));
  Good overlap;
  overlap.kept.events.erase(overlap.kept.events.begin() + 3);
  CHECK_THAT(overlap.complaint(), Contains("while another attempt ran"));
}

TEST_CASE("chaos checker: progress that goes back") {
  Good job;
  std::get<ProgressEvent>(job.kept.events[6].body).step = 0;
  CHECK_THAT(job.complaint(), Contains("went back"));
}

TEST_CASE("chaos checker: a result after an acknowledged cancel") {
  Good job;
  job.planned.cancel_at = 3;
  job.told.cancel = CancelAnswer::running;
  CHECK_THAT(job.complaint(), Contains("its cancel was noted"));
  job.told.cancel = CancelAnswer::ended;
  CHECK_THAT(job.complaint(), Contains("told that it was cancelled"));
  job.told.cancel = CancelAnswer::already_ended;
  CHECK(job.complaint().empty());
}

TEST_CASE("chaos checker: a picture of another seed, and none at all") {
  Good wrong;
  wrong.kept.images[0] = picture(kSeed + 1);
  CHECK_THAT(wrong.complaint(), Contains("is that of seed"));
  Good none;
  none.kept.images.clear();
  CHECK_THAT(none.complaint(), Contains("image 0 is missing"));
}

TEST_CASE("chaos checker: a stream that repeats, reorders, leaves out or invents") {
  Good repeated;
  repeated.told.stream.insert(repeated.told.stream.begin(), repeated.told.stream.front());
  CHECK_THAT(repeated.complaint(), Contains("the stream told queued 1-0 after 1-0"));
  Good left_out;
  left_out.told.stream.erase(left_out.told.stream.begin() + 1);
  CHECK_THAT(left_out.complaint(), Contains("left out started"));
  Good slow;  // progress may be left out
  slow.told.stream.erase(slow.told.stream.begin() + 5);
  CHECK(slow.complaint().empty());
  Good invented;
  invented.told.stream.push_back({EventId("99-0"), "progress"});
  CHECK_THAT(invented.complaint(), Contains("not in the log"));
  Good ending;
  ending.told.last_line = "[CANCELLED]";
  CHECK_THAT(ending.complaint(), Contains("the stream ended with"));
}

TEST_CASE("chaos checker: the bus tells of something that the log does not hold") {
  Good job;
  job.told.bus.push_back({EventId("3-1"), "progress"});
  CHECK_THAT(job.complaint(), Contains("the bus told progress 3-1"));
}

TEST_CASE("chaos checker: dead before its attempts are used up") {
  Good job;
  job.kept.status->state = JobState::dead;
  job.kept.events.back().body = DeadEvent{};
  job.told.stream.back().name = "error";
  job.told.last_line = "[ERROR] gone";
  job.kept.status->attempts.resize(2);
  CHECK_THAT(job.complaint(), Contains("dead with 2 errors"));
  job.kept.status->attempts.resize(3);
  CHECK(job.complaint().empty());
}

TEST_CASE("chaos checker: a record too many, and jobs still in flight") {
  const Plan plan = make_plan(1, 10);
  StatsReply stats;
  stats.completed = 10;
  CHECK(check_whole(plan, stats).empty());
  stats.cancelled = 1;
  CHECK(check_whole(plan, stats).size() == 1);
  stats.running = 1;
  CHECK(check_whole(plan, stats).size() == 2);
}

}  // namespace waggle::chaos

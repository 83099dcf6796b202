// A queen in process against a real Redis, asked over real sockets.
#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "consumer/bus/topics.h"
#include "schemas/limits.h"
#include "tests/queen/hive.h"
#include "tests/schemas/tiny_picture.h"

namespace waggle::testing {
namespace {

using namespace std::chrono_literals;

Error rejected(const ReplyBody& reply) {
  REQUIRE(std::holds_alternative<Rejected>(reply));
  return std::get<Rejected>(reply).error;
}

/// Claims the next job for a worker that exists in this test alone.
std::vector<ledger::ClaimedJob> claim(Hive& hive, const std::string& worker,
                                      std::chrono::milliseconds lease = 15s) {
  ledger::ClaimQuery query;
  query.worker = WorkerId(worker);
  query.models = {"null"};
  ledger::Policy policy = hive.queen_options().policy;
  policy.lease = lease;
  auto claimed = hive.ledger.claim(query, policy);
  REQUIRE(claimed);
  return std::move(claimed).value();
}

TEST_CASE("queen: a submitted job is in the ledger when the answer comes, and is announced") {
  Hive hive;
  bus::Subscriber subscriber(hive.context(), {hive.endpoints().publish});
  subscriber.subscribe("jobs/");
  // A subscription takes a moment to arrive; until then announcements are lost, as the design allows.
  JobId heard;
  REQUIRE(eventually([&] {
    const JobId job = hive.submit(a_job());
    CHECK(hive.status(job).state == JobState::queued);
    CHECK(is_valid_job_id(job.value));
    const auto message = subscriber.receive(50ms);
    if (!message) return false;
    CHECK(message->topic == "jobs/null/");
    const auto announcement = codec::from_msgpack<JobAnnouncement>(message->payload);
    REQUIRE(announcement);
    CHECK(announcement->job == job);
    return true;
  }));
}

TEST_CASE("queen: a submitted job's first event is published as the log has it, a duplicate's is not") {
  Hive hive;
  bus::Subscriber subscriber(hive.context(), {hive.endpoints().publish});
  subscriber.subscribe("events/");
  std::optional<Event> heard;
  REQUIRE(eventually([&] {
    hive.submit(a_job());
    if (const auto message = subscriber.receive(50ms)) {
      heard = codec::from_msgpack<Event>(message->payload).value();
      CHECK(message->topic == bus::events_topic(heard->job));
    }
    return heard.has_value();
  }));
  CHECK(hive.ledger.events(heard->job, EventId{})->events == std::vector<Event>{*heard});

  while (subscriber.receive(50ms)) {
  }
  JobRequest request = a_job();
  request.idempotency_key = "k";
  hive.submit(request);
  REQUIRE(subscriber.receive(5s));
  hive.submit(request);
  const JobId next = hive.submit(a_job());
  const auto after = subscriber.receive(5s);
  REQUIRE(after);
  CHECK(after->topic == bus::events_topic(next));
}

TEST_CASE("queen: a job that names its worker is announced to that worker") {
  Hive hive;
  bus::Subscriber subscriber(hive.context(), {hive.endpoints().publish});
  subscriber.subscribe("jobs/@w1/");
  REQUIRE(eventually([&] {
    JobRequest request = a_job();
    request.worker_id = WorkerId("w1");
    hive.submit(std::move(request));
    const auto message = subscriber.receive(50ms);
    return message && message->topic == "jobs/@w1/";
  }));
}

TEST_CASE("queen: the seed of a job that leaves it open is drawn at admission, so that attempts agree") {
  Hive hive;
  const auto first = hive.ledger.request(hive.submit(a_job()));
  const auto second = hive.ledger.request(hive.submit(a_job()));
  REQUIRE(first);
  REQUIRE(second);
  REQUIRE(first->seed);
  REQUIRE(second->seed);
  CHECK(*first->seed != *second->seed);
}

TEST_CASE("queen: every bad field of a request is reported with its path") {
  Hive hive;
  JobRequest request = a_job();
  request.steps = 0;
  request.operation = ImageGeneration{513, 512};
  const Error error = rejected(hive.ask(SubmitRequest{request}));
  CHECK(error.code == ErrorCode::invalid_request);
  REQUIRE(error.fields.size() == 2);
  CHECK(error.fields[0].path == "/steps");
  CHECK(error.fields[1].path == "/width");

  const ReplyBody many = hive.ask(SubmitManyRequest{{a_job(), request}});
  REQUIRE(std::holds_alternative<AcceptedMany>(many));
  const auto& results = std::get<AcceptedMany>(many).results;
  REQUIRE(results.size() == 2);
  CHECK(std::holds_alternative<Accepted>(results[0]));
  CHECK(std::get<Rejected>(results[1]).error.fields.at(0).path == "/jobs/1/steps");
}

TEST_CASE("queen: missing, mistyped and out-of-range fields are reported together") {
  Hive hive;
  // {v: 1, type: "submit", request_id: "r", job: {steps: 0, prompt: 7}}
  using namespace std::string_literals;
  const auto reply = hive.ask_raw("\x84\xa1v\x01\xa4type\xa6submit\xaarequest_id\xa1r\xa3job\x82\xa5steps"s +
                                  "\x00"s + "\xa6prompt\x07"s);
  REQUIRE(reply);
  std::vector<std::string> paths;
  for (const FieldError& field : rejected(reply->body).fields) paths.push_back(field.path);
  CHECK(paths == std::vector<std::string>{"/job/model", "/job/prompt", "/job/steps"});
}

TEST_CASE("queen: more than a thousand jobs at once, and pages of more than a thousand, are refused") {
  Hive hive;
  SubmitManyRequest many{std::vector<JobRequest>(limits::kMaxSubmitMany + 1, a_job())};
  CHECK(rejected(hive.ask(many)).fields.at(0).path == "/jobs");
  CHECK(hive.ledger.stats()->queued == 0);
  for (const int limit : {0, 1001}) {
    ListRequest list;
    list.limit = limit;
    CHECK(rejected(hive.ask(list)).fields.at(0).path == "/limit");
  }
}

TEST_CASE("queen: a picture in a request becomes a reference to the blob store") {
  Hive hive;
  JobRequest request = a_job();
  const std::string bytes = testing::tiny_png() + std::string(100'000, '\x7f');
  request.operation = ImageTransform{PictureInput{bytes}, 0.5, 64, 64};
  const auto stored = hive.ledger.request(hive.submit(request));
  REQUIRE(stored);
  const auto& picture = std::get<ImageTransform>(stored->operation).input_image;
  REQUIRE(picture.is_reference());
  CHECK(hive.ledger.blob(std::get<BlobId>(picture.source)).value() == bytes);
}

TEST_CASE("queen: a reference to a picture that nobody has stored is refused") {
  Hive hive;
  JobRequest request = a_job();
  request.operation = ImageTransform{PictureInput{BlobId("sha256:" + std::string(64, '0'))}, 0.5, 64, 64};
  CHECK(rejected(hive.ask(SubmitRequest{request})).code == ErrorCode::invalid_request);
}

TEST_CASE("queen: one idempotency key is one job, and another body under it is refused") {
  Hive hive;
  JobRequest request = a_job();
  request.idempotency_key = "k";
  const JobId job = hive.submit(request);
  const ReplyBody again = hive.ask(SubmitRequest{request});
  REQUIRE(std::holds_alternative<Accepted>(again));
  CHECK(std::get<Accepted>(again).job == job);
  CHECK(std::get<Accepted>(again).duplicate);
  request.prompt = "another";
  CHECK(rejected(hive.ask(SubmitRequest{request})).code == ErrorCode::idempotency_conflict);
}

TEST_CASE("queen: a full queue says when to come back") {
  Hive hive([](queen::Options& options) { options.policy.max_queued = 1; });
  hive.submit(a_job());
  const Error error = rejected(hive.ask(SubmitRequest{a_job()}));
  CHECK(error.code == ErrorCode::queue_full);
  CHECK(error.retry_after_s.value_or(0) > 0);
}

TEST_CASE("queen: once the pool has workers, an unknown model is refused with the known ones") {
  Hive hive;
  WorkerInfo worker;
  worker.id = WorkerId("w1");
  worker.models = {{"sd15", "sd15", {"stable"}, false, 0}};
  REQUIRE(hive.ledger.put_worker(worker, 60s));
  const Error error = rejected(hive.ask(SubmitRequest{a_job("nope")}));
  CHECK(error.code == ErrorCode::unknown_model);
  CHECK(error.message.find("sd15") != std::string::npos);
  hive.submit(a_job("stable"));

  const ReplyBody models = hive.ask(ModelsRequest{});
  REQUIRE(std::holds_alternative<ModelsReply>(models));
  REQUIRE(std::get<ModelsReply>(models).models.size() == 1);
  CHECK(std::get<ModelsReply>(models).models[0].model.name == "sd15");
  const ReplyBody workers = hive.ask(WorkersRequest{});
  REQUIRE(std::holds_alternative<WorkersReply>(workers));
  CHECK(std::get<WorkersReply>(workers).workers.at(0).id == WorkerId("w1"));
}

TEST_CASE("queen: a queued job is cancelled at once, and only once") {
  Hive hive;
  const JobId job = hive.submit(a_job());
  const ReplyBody reply = hive.ask(CancelRequest{job});
  REQUIRE(std::holds_alternative<CancelAccepted>(reply));
  CHECK(std::get<CancelAccepted>(reply).state == JobState::cancelled);
  CHECK(hive.status(job).state == JobState::cancelled);
  CHECK(rejected(hive.ask(CancelRequest{job})).code == ErrorCode::job_already_ended);
  const JobId nobody("0190d0d0-0000-7000-8000-000000000000");
  CHECK(rejected(hive.ask(CancelRequest{nobody})).code == ErrorCode::unknown_job);
  CHECK(rejected(hive.ask(StatusRequest{nobody})).code == ErrorCode::unknown_job);

  CHECK(std::holds_alternative<Requeued>(hive.ask(RequeueRequest{job})));
  CHECK(hive.status(job).state == JobState::queued);
}

TEST_CASE("queen: cancelling a running job tells its worker") {
  Hive hive;
  bus::Subscriber subscriber(hive.context(), {hive.endpoints().publish});
  subscriber.subscribe(bus::control_topic(WorkerId("w1")));
  const JobId job = hive.submit(a_job());
  REQUIRE(claim(hive, "w1").size() == 1);
  REQUIRE(eventually([&] {
    const ReplyBody reply = hive.ask(CancelRequest{job});
    REQUIRE(std::holds_alternative<CancelAccepted>(reply));
    CHECK(std::get<CancelAccepted>(reply).state == JobState::running);
    const auto message = subscriber.receive(50ms);
    if (!message) return false;
    const auto control = codec::from_msgpack<Control>(message->payload);
    REQUIRE(control);
    CHECK(std::get<ControlCancel>(*control).job == job);
    return true;
  }));
}

TEST_CASE("queen: a job whose worker fell silent is queued again, and its late result is refused") {
  Hive hive;
  const JobId job = hive.submit(a_job());
  const auto lost = claim(hive, "w1", 50ms);
  REQUIRE(lost.size() == 1);
  REQUIRE(hive.becomes(job, JobState::queued));
  std::vector<ledger::ClaimedJob> second;
  REQUIRE(eventually([&] {
    second = claim(hive, "w2");
    return !second.empty();
  }));
  CHECK(second[0].lease.attempt == 2);
  Event late;
  late.job = job;
  late.attempt = 1;
  late.body = CompletedEvent{};
  CHECK(hive.ledger.finish(lost[0].lease, late, hive.queen_options().policy).value() ==
        ledger::FinishOutcome::refused);
  CHECK(hive.status(job).state == JobState::running);
}

TEST_CASE("queen: stats, list and drain answer") {
  Hive hive;
  const JobId job = hive.submit(a_job());
  const ReplyBody stats = hive.ask(StatsRequest{});
  REQUIRE(std::holds_alternative<StatsReply>(stats));
  CHECK(std::get<StatsReply>(stats).queued == 1);
  CHECK(std::get<StatsReply>(stats).uptime_s > 0);
  const ReplyBody list = hive.ask(ListRequest{});
  REQUIRE(std::holds_alternative<ListReply>(list));
  CHECK(std::get<ListReply>(list).jobs.at(0).id == job);
  CHECK(rejected(hive.ask(DrainRequest{WorkerId("nobody")})).code == ErrorCode::unknown_worker);
}

TEST_CASE("queen: malformed messages are counted and dropped, and answered when they say who they are") {
  Hive hive;
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    CHECK_FALSE(hive.ask_raw(bytes, 0ms));
  }
  // {"v": 1, "type": "submit", "request_id": "r9"}: no job.
  const auto reply = hive.ask_raw("\x83\xa1v\x01\xa4type\xa6submit\xaarequest_id\xa2r9");
  REQUIRE(reply);
  CHECK(reply->id == RequestId("r9"));
  CHECK(rejected(reply->body).code == ErrorCode::invalid_request);
  const ReplyBody stats = hive.ask(StatsRequest{});
  REQUIRE(std::holds_alternative<StatsReply>(stats));
  CHECK(std::get<StatsReply>(stats).malformed_messages >= 1);
}

TEST_CASE("queen: without Redis requests are answered `unavailable`, and all is well when it is back") {
  Hive hive;
  hive.submit(a_job());
  hive.redis.kill9();
  CHECK(rejected(hive.ask(SubmitRequest{a_job()})).code == ErrorCode::unavailable);
  CHECK(rejected(hive.ask(StatsRequest{})).code == ErrorCode::unavailable);
  hive.redis.restart();
  REQUIRE(eventually([&] { return std::holds_alternative<Accepted>(hive.ask(SubmitRequest{a_job()})); }));
}

TEST_CASE("queen: a new queen knows everything the old one did") {
  Hive hive;
  const JobId job = hive.submit(a_job());
  hive.stop_queen();
  hive.start_queen();
  const ReplyBody reply = hive.ask(StatusRequest{job});
  REQUIRE(std::holds_alternative<StatusReply>(reply));
  CHECK(std::get<StatusReply>(reply).status.state == JobState::queued);
}

TEST_CASE("queen: a submit is announced within a millisecond") {
  Hive hive;
  hive.submit(a_job());
  std::vector<double> took_ms;
  for (int i = 0; i < 200; ++i) {
    const auto start = std::chrono::steady_clock::now();
    hive.submit(a_job());
    took_ms.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(took_ms.begin(), took_ms.begin() + 100, took_ms.end());
  // The median, with room for a busy machine: the point is that no look-up grows with the queue.
  CHECK(took_ms[100] < 5.0);
  WARN("submit to answer, median of 200: " << took_ms[100] << " ms");
}

}  // namespace
}  // namespace waggle::testing

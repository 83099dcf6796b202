// Redis goes away, comes back, forgets the scripts, hangs; whom it lets do what; and the addresses that lead
// to it.
#include "consumer/ledger/grants.h"
#include "tests/ledger/desk.h"

namespace waggle::testing {

TEST_CASE("ledger: an accepted job is there after kill -9 of Redis") {
  Desk desk("always");
  REQUIRE(desk.submit(1));
  const ledger::Lease lease = desk.claim_one();
  desk.server.kill9();
  CHECK(desk.ledger.status(job_id(1)).error().code == ErrorCode::unavailable);
  desk.server.restart();
  // Redis has forgotten the scripts as well.
  CHECK(desk.status(1).state == JobState::running);
  CHECK(desk.finish(lease, completed()) == ledger::FinishOutcome::ended);
}

TEST_CASE("ledger: a Redis that hangs is unavailable within the time, and its late answer confuses nobody") {
  Desk desk;
  REQUIRE(desk.submit(1));
  ledger::Options impatient = desk.server.options();
  impatient.command_timeout = 50ms;
  ledger::Ledger other(impatient);
  REQUIRE(other.ping());
  desk.server.pause();
  CHECK(other.now_ms().error().code == ErrorCode::unavailable);
  desk.server.resume();
  REQUIRE(other.status(job_id(1)));
  CHECK(other.status(job_id(1))->id == job_id(1));
}

TEST_CASE("ledger: a Redis that was emptied by hand gets the scripts again") {
  Desk desk;
  REQUIRE(desk.submit(1));
  REQUIRE(redis_answer(desk.server.port(), "FUNCTION FLUSH") == "+OK");
  const ledger::NewImage image{{0, 7, OutputFormat::png, 64, 64, 5}, "bytes"};
  const ledger::Lease lease = desk.claim_one();
  REQUIRE(redis_answer(desk.server.port(), "FUNCTION FLUSH") == "+OK");
  Event event;
  event.body = completed();
  CHECK(desk.ledger.finish(lease, event, desk.policy, {image}).value_or(ledger::FinishOutcome::refused) ==
        ledger::FinishOutcome::ended);
  CHECK(desk.ledger.image(job_id(1), 0).value_or("") == "bytes");
}

TEST_CASE("ledger: the user of the shipped file may do what the queue needs, and nothing else") {
  const RedisServer server("no", {"--aclfile", WAGGLE_REDIS_USERS});
  CHECK(redis_answer(server.port(), "GET waggle:usage").starts_with("-NOAUTH"));
  ledger::Options options = server.options();
  options.username = "waggle";
  options.password = "change-me";
  options.connection_name = "w1#1";
  ledger::Policy policy;
  ledger::Ledger ledger(options);
  REQUIRE(ledger.ping());

  // A job's life, with a picture, a pause, progress, images, an error and a second attempt; and what queens
  // do.
  const auto picture = ledger.put_blob("not really a picture", policy);
  REQUIRE(picture);
  JobRequest request = Desk::request();
  request.operation = ImageTransform{PictureInput{*picture}, 0.5, {}, {}};
  request.deadline_s = 60;
  request.idempotency_key.emplace("key");
  REQUIRE(ledger.submit(job_id(1), request, "b", "digest", policy));
  REQUIRE(ledger.pause({"sd15"}));
  REQUIRE(ledger.paused());
  REQUIRE(ledger.resume({"sd15"}));
  const ledger::ClaimQuery query{WorkerId("w1"), {"sd15"}, 1, "", true, "1:1"};
  auto claimed = ledger.claim(query, policy);
  REQUIRE(claimed);
  REQUIRE(claimed->size() == 1);
  const ledger::Lease lease = claimed->front().lease;
  REQUIRE(ledger.renew({lease}, policy));
  Event event;
  event.body = ProgressEvent{1, 4, 25};
  REQUIRE(ledger.append(lease, event, policy));
  REQUIRE(ledger.commit_image(lease, {0, 7, OutputFormat::png, 8, 8, 5}, "bytes", policy));
  event.body = completed();
  CHECK(ledger.finish(lease, event, policy).value_or(ledger::FinishOutcome::refused) ==
        ledger::FinishOutcome::ended);
  CHECK(ledger.image(job_id(1), 0).value_or("") == "bytes");
  CHECK(ledger.status(job_id(1)));
  CHECK(ledger.request(job_id(1)));
  CHECK(ledger.events(job_id(1), EventId()));
  CHECK(ledger.list({}));
  CHECK(ledger.stats());
  WorkerInfo info;
  info.id = WorkerId("w1");
  CHECK(ledger.put_worker(info, 60s));
  CHECK(ledger.workers());
  CHECK(ledger.remove_worker(info.id));
  CHECK(ledger.hold_reaper_lock("q1", 60s));
  ledger::Grants grants(options, WorkerId("w1"), "1");
  REQUIRE(grants.listen());
  ledger::ClaimQuery standing{WorkerId("w1"), {"sdxl"}, 1, "", true, "1:2"};
  standing.wait = 60s;
  CHECK(ledger.claim(standing, policy)->empty());
  CHECK(ledger.submit(job_id(2), Desk::request("sdxl"), "b", "digest", policy)->granted);
  CHECK(eventually([&] { return grants.receive().size() == 1; }));
  CHECK(ledger.reap(policy));
  CHECK(ledger.holders());
  CHECK(ledger.connected()->workers == std::vector<std::string>{"w1#1"});
  CHECK(ledger.now_ms());

  for (const char* command :
       {"GET other:key", "SET other:key 1", "FLUSHALL", "KEYS *", "CONFIG GET dir", "SHUTDOWN",
        "FUNCTION FLUSH", "EVAL x 0", "ACL LIST", "REPLICAOF NO ONE", "PUBLISH a b"}) {
    INFO(command);
    CHECK(redis_answer(server.port(), command, "waggle change-me").starts_with("-NOPERM"));
  }
}

TEST_CASE("ledger: nobody listens there: unavailable") {
  ledger::Options options;
  options.port = 1;
  ledger::Ledger ledger(options);
  CHECK(ledger.ping().error().code == ErrorCode::unavailable);
}

TEST_CASE("ledger: two prefixes are two queues") {
  Desk desk;
  REQUIRE(desk.submit(1));
  ledger::Options options = desk.server.options();
  options.prefix = "other:";
  ledger::Ledger other(options);
  CHECK(other.status(job_id(1)).error().code == ErrorCode::unknown_job);
  CHECK(other.stats()->queued == 0);
}

TEST_CASE("ledger: Redis URLs") {
  auto full = ledger::parse_redis_url("redis://bee:p%40ss@hive.local:6380/3");
  REQUIRE(full);
  CHECK(full->username == "bee");
  CHECK(full->password == "p@ss");
  CHECK(full->host == "hive.local");
  CHECK(full->port == 6380);
  CHECK(full->database == 3);
  CHECK(ledger::parse_redis_url("redis://[::1]:7000")->host == "::1");
  CHECK(ledger::parse_redis_url("redis://:secret@h")->password == "secret");
  CHECK(ledger::parse_redis_url("unix:///run/redis.sock?db=2")->database == 2);
  CHECK(ledger::parse_redis_url("unix:///run/redis.sock")->unix_socket == "/run/redis.sock");
  for (const char* bad :
       {"", "http://h", "redis://", "redis://h:0", "redis://h:99999", "redis://h:x", "redis://h/x",
        "redis://[::1", "redis://%zz@h", "unix://relative", "unix:///s?x=1"}) {
    INFO(bad);
    REQUIRE_FALSE(ledger::parse_redis_url(bad));
    CHECK(ledger::parse_redis_url(bad).error().code == ErrorCode::invalid_request);
  }
}

}  // namespace waggle::testing

// Redis goes away, comes back, forgets the scripts, hangs; and the addresses that lead to it.
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

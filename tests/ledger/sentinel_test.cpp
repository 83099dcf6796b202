// Redis under Sentinel: the ledger finds the master, and finds the new one after a fail-over.
#include "tests/ledger/desk.h"
#include "tests/ledger/redis_sentinels.h"

namespace waggle::testing {

TEST_CASE("ledger: Sentinel URLs") {
  const auto full =
      ledger::parse_redis_url("redis-sentinel://bee:p%40ss@one:5000,two,[::1]:7000/3?master=the%20hive");
  REQUIRE(full);
  CHECK(full->username == "bee");
  CHECK(full->password == "p@ss");
  CHECK(full->database == 3);
  CHECK(full->master_name == "the hive");
  CHECK(full->sentinels == std::vector<ledger::Address>{{"one", 5000}, {"two", 26379}, {"::1", 7000}});
  for (const char* bad :
       {"redis-sentinel://one", "redis-sentinel://one?master=", "redis-sentinel://?master=m",
        "redis-sentinel://one,?master=m", "redis-sentinel://one:x?master=m"}) {
    INFO(bad);
    REQUIRE_FALSE(ledger::parse_redis_url(bad));
  }
}

TEST_CASE("ledger: no Sentinel there, or none that knows the master: unavailable") {
  ledger::Options options;
  options.sentinels = {{"127.0.0.1", 1}};
  options.master_name = "hive";
  CHECK(ledger::Ledger(options).ping().error().code == ErrorCode::unavailable);
  const RedisServer no_sentinel("no");
  options.sentinels = {{"127.0.0.1", no_sentinel.port()}};
  CHECK(ledger::Ledger(options).ping().error().code == ErrorCode::unavailable);
}

TEST_CASE("ledger: after a fail-over jobs go on where they were, on the new master") {
  RedisSentinels redis;
  ledger::Ledger ledger(redis.options());
  ledger::Policy policy;
  REQUIRE(ledger.submit(job_id(1), Desk::request(), "b", "d", policy));
  REQUIRE(ledger.submit(job_id(2), Desk::request(), "b", "d", policy));
  const auto claimed = ledger.claim({WorkerId("w1"), {"sd15"}, 1, "", true}, policy);
  REQUIRE(claimed);
  REQUIRE(claimed->size() == 1);
  // Replication is asynchronous: wait until the replica has what the test relies on.
  REQUIRE(eventually([&] { return redis.replicated(); }));

  redis.master().kill9();
  REQUIRE(eventually([&] { return ledger.ping().has_value(); }, 30s));
  Event event;
  event.body = completed();
  const auto ended = ledger.finish(claimed->front().lease, event, policy);
  REQUIRE(ended);
  CHECK(*ended == ledger::FinishOutcome::ended);
  CHECK(ledger.status(job_id(2))->state == JobState::queued);
  CHECK(ledger.submit(job_id(3), Desk::request(), "b", "d", policy));
}

}  // namespace waggle::testing

// The claims of one worker while Redis comes and goes: each job is handed out once.
#include "consumer/worker/claims.h"

#include <catch2/catch.hpp>

#include "tests/queen/hive.h"

namespace waggle::testing {
namespace {

using namespace std::chrono_literals;

struct Claimant {
  Claimant() : redis("no"), clients(redis.options()), claims(made_of(settings, redis)) {}
  static worker::Settings& made_of(worker::Settings& settings, const RedisServer& redis) {
    settings.id = WorkerId("w1");
    settings.instance = "abc";
    settings.redis = redis.options();
    return settings;
  }
  std::vector<ledger::ClaimedJob> claim() {
    ledger::ClaimQuery query;
    query.models = {"null"};
    return claims.claim(std::move(query), true);
  }
  bool submit(int number) {
    const JobId job("019a0000-0000-7000-8000-00000000000" + std::to_string(number));
    const auto submitted = clients.submit(job, a_job(), "b", "d", settings.policy);
    REQUIRE(submitted);
    return submitted->granted;
  }
  std::vector<ledger::ClaimedJob> given() {
    std::vector<ledger::ClaimedJob> jobs;
    REQUIRE(eventually([&] { return !(jobs = claims.granted()).empty(); }));
    return jobs;
  }

  RedisServer redis;
  ledger::Ledger clients;
  worker::Settings settings;
  worker::Claims claims;
};

}  // namespace

TEST_CASE("claims: what came as a grant is not asked for again when an answer was lost before it") {
  Claimant worker;
  REQUIRE(worker.claim().empty());
  REQUIRE(worker.claims.stands());
  // Made again in vain: Redis hears it when the worker has given it up, and lets it stand.
  worker.redis.pause();
  REQUIRE(worker.claim().empty());
  worker.redis.resume();
  REQUIRE(eventually([&] { return worker.submit(1); }));
  REQUIRE(worker.given().size() == 1);
  CHECK_FALSE(worker.claims.stands());
  CHECK(worker.claim().empty());
  // The first claim that Redis answers again does not stand yet.
  CHECK(worker.claim().empty());
  CHECK(worker.claims.stands());
}

TEST_CASE("claims: what the claim found, made again, is not taken a second time when its news comes") {
  Claimant worker;
  REQUIRE(worker.claim().empty());
  REQUIRE(worker.submit(1));
  REQUIRE(worker.claim().size() == 1);
  CHECK(worker.claims.granted().empty());
  // Nor when another claim stands by then.
  REQUIRE(worker.claim().empty());
  CHECK(worker.claims.granted().empty());
  CHECK(worker.claims.stands());
}

TEST_CASE("claims: withdrawn, a claim is given nothing more") {
  Claimant worker;
  REQUIRE(worker.claim().empty());
  CHECK(worker.claims.withdraw().empty());
  CHECK_FALSE(worker.claims.stands());
  CHECK_FALSE(worker.submit(1));
  REQUIRE(worker.claim().size() == 1);
  REQUIRE(worker.claim().empty());
  REQUIRE(worker.submit(2));
  CHECK(worker.claims.withdraw().size() == 1);
}

}  // namespace waggle::testing

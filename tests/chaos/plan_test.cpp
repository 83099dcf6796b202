// What a plan promises: the same seed, the same plan; every kind of blow; jobs of every kind.
#include "tests/chaos/plan.h"

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "schemas/validate.h"

namespace waggle::chaos {

TEST_CASE("chaos: a seed that has found something deals the same blows again") {
  const Plan first = make_plan(7, 500), again = make_plan(7, 500), other = make_plan(8, 500);
  REQUIRE(first.jobs.size() == 500);
  REQUIRE(first.blows.size() == again.blows.size());
  for (std::size_t i = 0; i < first.blows.size(); ++i) {
    const Blow &a = first.blows[i], &b = again.blows[i];
    CHECK((a.at == b.at && a.part == b.part && a.index == b.index && a.how == b.how && a.lasts == b.lasts));
  }
  for (std::size_t i = 0; i < first.jobs.size(); ++i) {
    CHECK(first.jobs[i].request == again.jobs[i].request);
    CHECK(first.jobs[i].cancel_at == again.jobs[i].cancel_at);
  }
  CHECK_FALSE(first.jobs[0].request == other.jobs[0].request);
}

TEST_CASE("chaos: every process is struck in every way it can be, and in order") {
  const Plan plan = make_plan(1, 3000);
  std::set<std::pair<Part, How>> dealt;
  std::set<std::pair<Part, int>> struck;
  for (const Blow& blow : plan.blows) {
    dealt.emplace(blow.part, blow.how);
    struck.emplace(blow.part, blow.index);
  }
  // Three ways for workers, two for each of the others, one for those with the real model.
  CHECK(dealt.size() == 12);
  CHECK(struck.size() == kWorkers + kModelWorkers + kQueens + kBridges + 1 + kWires);
  CHECK(std::ranges::is_sorted(plan.blows, {}, &Blow::at));
}

TEST_CASE("chaos: without cuts no wire is struck, without the real model no job asks for it") {
  const Plan plan = make_plan(2, 1000, {0, 0});
  for (const Blow& blow : plan.blows) CHECK((blow.part != Part::wire && blow.part != Part::model_worker));
  for (const PlannedJob& job : plan.jobs) CHECK(job.request.model == "null");
}

TEST_CASE(
    "chaos: where only workers are killed, nothing else is struck, and enough of them for a distribution") {
  Mix mix{0, 0};
  mix.worker_kills_only = true;
  const Plan plan = make_plan(2, 2000, mix);
  CHECK(plan.blows.size() >= 30);
  for (const Blow& blow : plan.blows) CHECK((blow.part == Part::worker && blow.how == How::kill));
}

TEST_CASE("chaos: every planned job is one that a queen accepts, under a key of its own") {
  const Plan plan = make_plan(3, 2000);
  std::set<std::string> keys;
  for (const PlannedJob& job : plan.jobs) {
    CHECK(validate(job.request).empty());
    keys.insert(job.request.idempotency_key.value());
    if (job.cancel_at) CHECK(*job.cancel_at > job.number);
  }
  CHECK(keys.size() == plan.jobs.size());
}

}  // namespace waggle::chaos

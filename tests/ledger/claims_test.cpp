// Claims that go wrong or must wait: lost answers, paused models, workers that vanish, and a Redis that was
// away.
#include <thread>

#include "tests/ledger/desk.h"

namespace waggle::testing {
namespace {

ledger::ClaimQuery query(const std::string& token, bool repeated = false, int room = 2) {
  ledger::ClaimQuery query{WorkerId("w1"), {"sd15", "sdxl"}, room, "", false};
  query.token = token;
  query.repeated = repeated;
  return query;
}

std::vector<ledger::ClaimedJob> claim(Desk& desk, const ledger::ClaimQuery& how) {
  auto claimed = desk.ledger.claim(how, desk.policy);
  REQUIRE(claimed);
  return std::move(claimed).value();
}

}  // namespace

TEST_CASE("ledger: a claim whose answer was lost gives the same jobs to the same token") {
  Desk desk;
  for (int i = 1; i <= 3; ++i) REQUIRE(desk.submit(i));
  const auto first = claim(desk, query("a:1"));
  REQUIRE(first.size() == 2);
  const auto again = claim(desk, query("a:1", true));
  REQUIRE(again.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(again[i].lease == first[i].lease);
    CHECK(again[i].request == first[i].request);
    CHECK(again[i].started == first[i].started);
  }
  CHECK(desk.status(1).attempt == 1);
  CHECK(desk.log(1) == "queued started");
  CHECK(desk.status(3).state == JobState::queued);

  // Nothing was taken under this token: the repetition is a claim like any other.
  const auto other = claim(desk, query("a:2", true));
  REQUIRE(other.size() == 1);
  CHECK(other[0].lease.job == job_id(3));
}

TEST_CASE("ledger: what ended since its claim is not given again") {
  Desk desk;
  for (int i = 1; i <= 2; ++i) REQUIRE(desk.submit(i));
  const auto first = claim(desk, query("a:1"));
  desk.finish(first[0].lease, completed());
  const auto again = claim(desk, query("a:1", true));
  REQUIRE(again.size() == 1);
  CHECK(again[0].lease == first[1].lease);
  auto somebody_else = query("a:1", true);
  somebody_else.worker = WorkerId("w2");
  CHECK(claim(desk, somebody_else).empty());
}

TEST_CASE("ledger: a claim over a connection that broke takes no jobs that nobody gets") {
  Desk desk("always");
  REQUIRE(desk.submit(1));
  REQUIRE(desk.submit(2));
  desk.server.restart();
  CHECK(claim(desk, query("a:1", false, 1)).size() == 1);
  CHECK(desk.ledger.stats()->running == 1);
}

TEST_CASE(
    "ledger: a paused model is not claimed, under none of its names and in no lane, until it is resumed") {
  Desk desk;
  JobRequest pinned = Desk::request("sd15");
  pinned.worker_id = WorkerId("w1");
  REQUIRE(desk.ledger.pause({"sd15"}));
  REQUIRE(desk.submit(1));
  REQUIRE(desk.submit(2, pinned));
  REQUIRE(desk.submit(3, Desk::request("sdxl")));
  CHECK(desk.ledger.stats()->paused == std::vector<std::string>{"sd15"});
  const auto claimed = claim(desk, query("a:1", false, 9));
  REQUIRE(claimed.size() == 1);
  CHECK(claimed[0].lease.job == job_id(3));
  auto joining = query("a:2", false, 9);
  joining.batch_key = std::string("b");
  CHECK(claim(desk, joining).empty());
  CHECK(desk.status(1).position == 0);

  REQUIRE(desk.ledger.resume({"sd15"}));
  CHECK(claim(desk, query("a:3", false, 9)).size() == 2);
  CHECK(desk.ledger.stats()->paused.empty());
}

TEST_CASE("ledger: what runs when its model is paused goes on, and ends as ever") {
  Desk desk;
  REQUIRE(desk.submit(1));
  const ledger::Lease lease = desk.claim_one();
  REQUIRE(desk.ledger.pause({"sd15"}));
  CHECK(desk.ledger.renew({lease}, desk.policy)->lost.empty());
  CHECK(desk.finish(lease, completed()) == ledger::FinishOutcome::ended);
}

TEST_CASE("ledger: workers are seen while they are connected") {
  Desk desk;
  ledger::Options options = desk.server.options();
  options.connection_name = "w1#abc";
  {
    ledger::Ledger one(options), another(options);
    REQUIRE(one.ping());
    REQUIRE(another.ping());
    CHECK(desk.ledger.connected()->workers == std::vector<std::string>{"w1#abc"});
  }
  CHECK(eventually([&] { return desk.ledger.connected()->workers.empty(); }));
  const std::uint64_t session = desk.ledger.connected()->session;
  CHECK(desk.ledger.connected()->session == session);
  desk.server.restart();
  CHECK(desk.ledger.connected()->session != session);
}

TEST_CASE("ledger: who holds leases is known by name, but for workers that Redis does not show") {
  Desk desk;
  for (int i = 1; i <= 3; ++i) REQUIRE(desk.submit(i));
  claim(desk, query("nameless:1", false, 1));
  CHECK(desk.ledger.holders()->empty());
  ledger::Options options = desk.server.options();
  options.connection_name = "w1#abc";
  ledger::Ledger worker(options);
  for (const char* token : {"abc:1", "abc:2"})
    REQUIRE(worker.claim(query(token, false, 1), desk.policy)->size() == 1);
  CHECK(*desk.ledger.holders() == std::vector<std::string>{"w1#abc"});
  // A lost answer is asked for with the same token, over whatever connection.
  CHECK(worker.claim(query("abc:2", true, 1), desk.policy)->size() == 1);
  CHECK(*desk.ledger.vanish(*desk.ledger.holders()) == 2);
  CHECK(desk.ledger.holders()->empty());
}

TEST_CASE("ledger: the leases of a worker that vanished end at once, those of its next life stand") {
  Desk desk;
  REQUIRE(desk.submit(1));
  REQUIRE(desk.submit(2));
  const auto old = claim(desk, query("old:1", false, 1));
  const auto young = claim(desk, query("young:1", false, 1));
  desk.policy.backoff_first = 60s;  // of which the first loss is spared
  CHECK(*desk.ledger.vanish({"w1#old", "w2#young"}) == 1);
  const auto reaped = desk.reap();
  REQUIRE(reaped.size() == 1);
  CHECK(reaped[0].job == job_id(1));
  CHECK(desk.finish(young[0].lease, completed()) == ledger::FinishOutcome::ended);
  CHECK(desk.finish(old[0].lease, completed()) == ledger::FinishOutcome::refused);
  CHECK(desk.claim_one("w3").job == job_id(1));
}

TEST_CASE("ledger: leases that ran out while Redis was away stand for another term") {
  Desk desk;
  desk.policy.lease = 300ms;
  REQUIRE(desk.submit(1));
  const ledger::Lease lease = desk.claim_one();
  REQUIRE(desk.reap().empty());
  desk.server.pause();
  std::this_thread::sleep_for(800ms);  // the outage itself, not a wait for anything
  desk.server.resume();
  // Whoever comes first after it: the reaper.
  CHECK(desk.reap().empty());
  CHECK(desk.ledger.renew({lease}, desk.policy)->lost.empty());
  CHECK(desk.finish(lease, completed()) == ledger::FinishOutcome::ended);
  CHECK(desk.log(1) == "queued started completed");
}

TEST_CASE("ledger: the lease of a worker that is silent while Redis answers runs out as ever") {
  Desk desk;
  desk.policy.lease = 300ms;
  REQUIRE(desk.submit(1));
  desk.claim_one();
  std::vector<ledger::Reaped> reaped;
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(eventually([&] { return !(reaped = desk.reap()).empty(); }));
  CHECK(std::chrono::steady_clock::now() - start >= 250ms);
  CHECK(name(reaped[0].event.body) == "retried");
}

TEST_CASE("ledger: a call that hangs ends when it is interrupted, and so does every later one") {
  Desk desk;
  ledger::Ledger other(desk.server.options());
  REQUIRE(other.ping());
  desk.server.pause();
  const auto start = std::chrono::steady_clock::now();
  std::thread stopper([&] {
    std::this_thread::sleep_for(50ms);
    other.interrupt();
  });
  CHECK(other.now_ms().error().code == ErrorCode::unavailable);
  stopper.join();
  CHECK(other.ping().error().code == ErrorCode::unavailable);
  CHECK(std::chrono::steady_clock::now() - start < 2s);
  desk.server.resume();
}

}  // namespace waggle::testing

// What a job costs in time. The figures themselves are hidden from a plain run.
#include <iostream>

#include "tests/ledger/desk.h"

namespace waggle::testing {
namespace {

void one_life(Desk& desk, int number) {
  REQUIRE(desk.submit(number));
  REQUIRE(desk.finish(desk.claim_one(), completed()) == ledger::FinishOutcome::ended);
}

double jobs_per_second(const char* appendfsync, int jobs) {
  Desk desk(appendfsync);
  one_life(desk, 0);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 1; i <= jobs; ++i) one_life(desk, i);
  return jobs / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("ledger: a claim from a long queue takes no longer than from a short one") {
  Desk desk;
  const auto time_claims = [&] {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 200; ++i) desk.claim_one();
    return std::chrono::steady_clock::now() - start;
  };
  for (int i = 0; i < 250; ++i) REQUIRE(desk.submit(i));
  const auto short_queue = time_claims();
  for (int i = 250; i < 8000; ++i) REQUIRE(desk.submit(i));
  const auto long_queue = time_claims();
  // A claim that looked at every job would be some thirty times slower; four leaves room for a busy machine.
  CHECK(long_queue < 4 * short_queue + 50ms);
}

TEST_CASE("ledger throughput: submit, claim and finish in a loop", "[.slow]") {
  for (const char* appendfsync : {"always", "everysec"}) {
    std::cout << "appendfsync " << appendfsync << ": " << static_cast<int>(jobs_per_second(appendfsync, 3000))
              << " jobs/s through one connection\n";
  }
}

}  // namespace waggle::testing

// Wires: what they carry, and what becomes of it when they are cut or hang.
#include "tests/chaos/wires.h"

#include <catch2/catch.hpp>

#include "tests/ledger/redis_server.h"

namespace waggle::chaos {

using namespace std::chrono_literals;

TEST_CASE("wires: a server is reached over a wire, not while it hangs, and again when it has been cut") {
  const testing::RedisServer redis("no");
  Wires wires;
  const Place front = wires.lay({}, {{}, redis.port()});
  ledger::Options options;
  options.port = front.port;
  options.command_timeout = options.connect_timeout = 200ms;
  ledger::Ledger ledger(options);
  REQUIRE(ledger.ping());

  wires.hang(0, 500ms);
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(ledger.ping());
  CHECK(std::chrono::steady_clock::now() - start >= 200ms);
  while (!ledger.ping()) REQUIRE(std::chrono::steady_clock::now() - start < 10s);
  CHECK(std::chrono::steady_clock::now() - start >= 400ms);

  wires.cut(0);
  CHECK(ledger.ping());  // by a new connection
  CHECK(wires.count() == 1);
}

TEST_CASE("wires: much goes through, both ways and whole") {
  const testing::RedisServer redis("no");
  Wires wires;
  const Place front = wires.lay({}, {{}, redis.port()});
  ledger::Options options;
  options.port = front.port;
  ledger::Ledger ledger(options);
  std::string bytes(8'000'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  const auto id = ledger.put_blob(bytes, {});
  REQUIRE(id);
  CHECK(ledger.blob(*id).value() == bytes);
}

}  // namespace waggle::chaos

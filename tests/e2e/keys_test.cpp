// CURVE from the operator's side: keys made by `waggle keys`, a queen that lets in whom it knows.
#include <catch2/catch.hpp>

#include "consumer/cli/private_folder.h"
#include "tests/e2e/machine.h"
#include "tests/ledger/redis_server.h"

using namespace waggle;
using namespace waggle::e2e;

TEST_CASE("keys: a client on the list is answered, a stranger and a client without a key get nothing") {
  const cli::PrivateFolder folder("waggle-keys-");
  const std::string keys = (folder.path() / "keys").string(),
                    strangers = (folder.path() / "strangers").string();
  REQUIRE(run("waggle", {"keys", "-o", keys, "me", "worker-1"}).exit_status == 0);
  REQUIRE(run("waggle", {"keys", "-o", strangers, "me"}).exit_status == 0);

  testing::RedisServer redis("no");
  const std::string requests = "ipc://" + (folder.path() / "requests").string(),
                    publish = "ipc://" + (folder.path() / "publish").string(),
                    collect = "ipc://" + (folder.path() / "collect").string();
  const auto queen =
      cli::ChildProcess::start({std::string(WAGGLE_PROGRAMS) + "/waggle-queen", "--redis-url", redis.url(),
                                "--requests", requests, "--publish", publish, "--collect", collect,
                                "--curve-key", keys + "/queen.key", "--curve-allow", keys + "/allowed.keys"});
  REQUIRE(queen);
  const std::string connect = requests + "," + publish + "," + collect;
  const auto stats = [&](const std::vector<std::string>& key_flags, const char* timeout) {
    std::vector<std::string> arguments{"stats", "--connect", connect, "--timeout", timeout};
    arguments.insert(arguments.end(), key_flags.begin(), key_flags.end());
    return run("waggle", arguments);
  };
  const Run known = stats({"--curve-key", keys + "/me.key", "--curve-server-key", keys + "/queen.pub"}, "20");
  INFO(known.output);
  CHECK(known.exit_status == 0);
  CHECK(known.output.find("queued") != std::string::npos);
  // A key of its own making, though it knows the queen's; and no key at all.
  CHECK(stats({"--curve-key", strangers + "/me.key", "--curve-server-key", keys + "/queen.pub"}, "1.5")
            .exit_status == 3);
  CHECK(stats({}, "1.5").exit_status == 3);
}

TEST_CASE("keys: a pair is never overwritten, and only its owner can read it") {
  const cli::PrivateFolder folder("waggle-keys-");
  const std::string keys = (folder.path() / "keys").string();
  REQUIRE(run("waggle", {"keys", "-o", keys, "me"}).exit_status == 0);
  const Run again = run("waggle", {"keys", "-o", keys, "me"});
  CHECK(again.exit_status != 0);
  CHECK(again.output.find("never overwritten") != std::string::npos);
  CHECK(run("waggle", {"keys", "-o", keys, "another"}).exit_status == 0);
  CHECK(run("waggle", {"keys", "-o", keys, "../outside"}).exit_status != 0);
  using std::filesystem::perms;
  for (const char* file : {"queen.key", "me.key", "another.key"}) {
    const auto mode = std::filesystem::status(folder.path() / "keys" / file).permissions();
    CHECK((mode & (perms::group_all | perms::others_all)) == perms::none);
  }
}

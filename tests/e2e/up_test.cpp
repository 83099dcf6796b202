// `waggle up`: it leaves nothing behind, whatever ends it.
#include <algorithm>
#include <csignal>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "consumer/cli/private_folder.h"
#include "tests/bridge/http_client.h"
#include "tests/e2e/machine.h"

using namespace waggle;
using namespace waggle::e2e;

namespace {
bool all_gone(const std::vector<int>& pids) {
  for (const int pid : pids) {
    if (is_alive(pid)) return false;
  }
  return true;
}
}  // namespace

TEST_CASE("up: Ctrl-C and SIGTERM leave no process and no file behind") {
  const int signal = GENERATE(SIGINT, SIGTERM);
  Pool pool(null_pool("20ms"));
  const JobId job = pool.submit("null", {"--steps", "500"});
  pool.wait_for_step(job, 1);
  const auto pids = pool.all_pids();
  CHECK(pids.size() == 4);
  pool.process().send_signal(signal);
  const auto end = pool.process().wait(30s);
  REQUIRE(end);
  CHECK(end->exit_status == 0);
  CHECK(end->signal == 0);
  CHECK(all_gone(pids));
  CHECK_FALSE(std::filesystem::exists(pool.data()));
  CHECK_FALSE(std::filesystem::exists(pool.data().parent_path()));
}

TEST_CASE("up: killed without warning it takes its children along") {
  Pool pool(null_pool("20ms"));
  const auto pids = pool.all_pids();
  REQUIRE(kill(pool.process().pid(), SIGKILL) == 0);
  REQUIRE(pool.process().wait(10s));
  CHECK(eventually([&] { return all_gone(pids); }, 10s));
  std::filesystem::remove_all(pool.data().parent_path());
}

TEST_CASE("up: with --data jobs outlive it") {
  const cli::PrivateFolder folder("waggle-test-");
  auto flags = null_pool("1ms");
  flags.insert(flags.end(), {"--data", (folder.path() / "hive").string()});
  JobId job;
  {
    Pool pool(flags);
    job = pool.submit("null", {"--steps", "2"});
    CHECK(pool.wait_for_end(job).state == JobState::completed);
    pool.process().send_signal(SIGINT);
    REQUIRE(pool.process().wait(30s));
  }
  Pool pool(flags);
  CHECK(pool.status(job).state == JobState::completed);
}

TEST_CASE("up: the bridge answers on the port that was asked for") {
  Pool pool(null_pool("1ms"));
  testing::HttpClient client(pool.port());
  CHECK(client.ask("GET", "/health").status == 200);
  CHECK(client.ask("GET", "/ready").status == 200);
}

TEST_CASE("up: a part that cannot start is named, with its own words, and all is taken down") {
  const cli::PrivateFolder folder("waggle-test-");
  const Run broken = run("waggle", {"up", "--json", "--model", folder.path().string()});
  INFO(broken.output);
  CHECK(broken.exit_status == 3);
  CHECK(broken.output.find("waggle: unavailable: worker-1 ended with exit code") != std::string::npos);
  const Run no_redis = run("waggle", {"up", "--redis-server", "/no/such/redis-server"});
  INFO(no_redis.output);
  CHECK(no_redis.exit_status == 3);
  CHECK(no_redis.output.find("/no/such/redis-server") != std::string::npos);
}

TEST_CASE("up: its workers divide the processors and say how many threads they took") {
  // The queen tells what each worker's heartbeat says of its device: "AMD EPYC, 1 thread".
  const auto threads = [](const std::vector<std::string>& flags) {
    std::vector<std::string> all{"--model", WAGGLE_TEST_MODEL};
    all.insert(all.end(), flags.begin(), flags.end());
    Pool pool(all);
    const Run listed = pool.waggle({"workers", "--json"});
    INFO(listed.output);
    std::vector<int> counts;
    const auto reply = nlohmann::json::parse(listed.output);
    for (const auto& worker : reply.at("workers")) {
      const auto name = worker.at("device_name").get<std::string>();
      counts.push_back(std::stoi(name.substr(name.rfind(", ") + 2)));
    }
    return counts;
  };
  const auto alone = threads({});
  REQUIRE(alone.size() == 1);
  const int part = std::max(1, alone.front() / 2);
  CHECK(threads({"--workers", "2"}) == std::vector<int>{part, part});
  CHECK(threads({"--workers", "2", "--worker-flag=--threads=3"}) == std::vector<int>{3, 3});
}

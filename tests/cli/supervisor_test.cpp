// A row of services: order, readiness, restart and stop, with shell scripts in place of programs.
#include "consumer/cli/supervisor.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "consumer/cli/private_folder.h"

using namespace waggle;
using namespace waggle::cli;
using namespace std::chrono_literals;

namespace {

Service script(std::string name, const std::string& text) {
  return {std::move(name), {"/bin/sh", "-c", text}, [] { return true; }, 10s, 5s};
}

struct Log {
  std::string text;
  auto printer() {
    return [this](std::string_view service, std::string_view line) {
      text.append(service).append(": ").append(line).append("\n");
    };
  }
};

std::string content(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("supervisor: a service that ends before it is ready is an error with its last words") {
  Log log;
  Supervisor supervisor(log.printer(), [] { return 0; });
  Service service = script("queen", "echo cannot bind; exit 3");
  service.ready = [] { return false; };
  const Status started = supervisor.start(std::move(service));
  REQUIRE_FALSE(started);
  CHECK(started.error().code == ErrorCode::unavailable);
  CHECK(started.error().message == "queen ended with exit code 3 | cannot bind");
  CHECK(log.text == "queen: cannot bind\n");
}

TEST_CASE("supervisor: a service that never gets ready is given up after its time") {
  Log log;
  Supervisor supervisor(log.printer(), [] { return 0; });
  Service service = script("worker", "exec sleep 1000");
  service.ready = [] { return false; };
  service.ready_within = 100ms;
  const Status started = supervisor.start(std::move(service));
  REQUIRE_FALSE(started);
  CHECK(started.error().message.find("worker was not ready") == 0);
}

TEST_CASE("supervisor: a stop request ends the wait for a service") {
  Log log;
  Supervisor supervisor(log.printer(), [] { return 1; });
  Service service = script("worker", "exec sleep 1000");
  service.ready = [] { return false; };
  CHECK(supervisor.start(std::move(service)).error().code == ErrorCode::cancelled);
}

TEST_CASE("supervisor: what dies is started again") {
  const PrivateFolder folder("waggle-test-");
  const auto runs = folder.path() / "runs";
  Log log;
  Supervisor supervisor(log.printer(), [&] { return content(runs).size() >= 2 ? 1 : 0; });
  REQUIRE(supervisor.start(script("worker", "printf x >> " + runs.string() + "; sleep 0.01; kill -9 $$")));
  supervisor.run();
  supervisor.stop();
  INFO(log.text);
  CHECK(content(runs).size() >= 2);
  CHECK(log.text.find("worker was killed by signal 9") != std::string::npos);
}

TEST_CASE("supervisor: services stop in reverse order of their start") {
  const PrivateFolder folder("waggle-test-");
  const auto ends = folder.path() / "ends";
  Log log;
  Supervisor supervisor(log.printer(), [] { return 0; });
  for (const char* name : {"a", "b", "c"}) {
    const auto ready = folder.path() / name;
    Service service =
        script(name, "trap 'printf " + std::string(name) + " >> " + ends.string() + "; exit' TERM; touch " +
                         ready.string() + "; while :; do sleep 0.01; done");
    service.ready = [ready] { return std::filesystem::exists(ready); };
    REQUIRE(supervisor.start(std::move(service)));
  }
  const pid_t pid = supervisor.pids().front().second;
  supervisor.stop();
  CHECK(content(ends) == "cba");
  CHECK(kill(pid, 0) == -1);
}

TEST_CASE("supervisor: a service that ignores SIGTERM is killed after its time") {
  const PrivateFolder folder("waggle-test-");
  const auto ready = folder.path() / "ready";
  Log log;
  Supervisor supervisor(log.printer(), [] { return 0; });
  Service service =
      script("worker", "trap '' TERM; touch " + ready.string() + "; while :; do sleep 0.01; done");
  service.ready = [ready] { return std::filesystem::exists(ready); };
  service.stop_within = 200ms;
  REQUIRE(supervisor.start(std::move(service)));
  const pid_t pid = supervisor.pids().front().second;
  supervisor.stop();
  CHECK(kill(pid, 0) == -1);
  CHECK(log.text.find("killing it") != std::string::npos);
}

TEST_CASE("supervisor: waits double with each quick death and are forgotten after a good while") {
  Backoff backoff;
  CHECK(backoff.after(0ms) == 250ms);
  CHECK(backoff.after(0ms) == 500ms);
  CHECK(backoff.after(0ms) == 1000ms);
  for (int i = 0; i < 20; ++i) backoff.after(0ms);
  CHECK(backoff.after(0ms) == 30s);
  CHECK(backoff.after(2min) == 250ms);
}

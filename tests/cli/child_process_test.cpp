// Real children: their output, their end, and that none outlives its owner.
#include "consumer/cli/child_process.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

using namespace waggle;
using namespace waggle::cli;
using namespace std::chrono_literals;

namespace {

ChildProcess shell(const std::string& script) {
  auto child = ChildProcess::start({"/bin/sh", "-c", script});
  REQUIRE(child);
  return std::move(child).value();
}

/// Waits for a condition, at most ten seconds.
template <class Condition>
bool becomes_true(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Whether it runs. A zombie does not: where nobody reaps orphans it stays in the table for ever.
bool works(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return static_cast<bool>(status >> number >> name >> state) && state != "Z" && state != "X";
}

}  // namespace

TEST_CASE("child: both outputs come as lines, the unfinished last one on request") {
  ChildProcess child = shell("echo one; echo two >&2; printf three");
  REQUIRE(child.wait(10s));
  CHECK(child.lines() == std::vector<std::string>{"one", "two"});
  CHECK(child.lines(true) == std::vector<std::string>{"three"});
}

TEST_CASE("child: its end is told as an exit code or a signal") {
  ChildProcess failed = shell("exit 7");
  REQUIRE(failed.wait(10s));
  CHECK(failed.poll()->exit_status == 7);
  CHECK(failed.poll()->text() == "ended with exit code 7");
  ChildProcess killed = shell("kill -9 $$");
  REQUIRE(killed.wait(10s));
  CHECK(killed.poll()->signal == SIGKILL);
}

TEST_CASE("child: a program that is not there is an error, not a child that fails later") {
  const auto child = ChildProcess::start({"/no/such/program"});
  REQUIRE_FALSE(child);
  CHECK(child.error().code == ErrorCode::unavailable);
  CHECK(child.error().message.find("/no/such/program") != std::string::npos);
}

TEST_CASE("child: the signals that its parent blocks reach it") {
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, &before);
  ChildProcess child = shell("exec sleep 1000");
  child.send_signal(SIGTERM);
  const auto end = child.wait(10s);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  REQUIRE(end);
  CHECK(end->signal == SIGTERM);
}

TEST_CASE("child: whoever owns it takes it along, its own children too") {
  pid_t child_pid = 0, grandchild_pid = 0;
  {
    ChildProcess child = shell("sleep 1000 & echo $!; wait");
    child_pid = child.pid();
    std::vector<std::string> lines;
    REQUIRE(becomes_true([&] { return !(lines = child.lines()).empty(); }));
    grandchild_pid = std::stoi(lines.front());
  }
  CHECK(kill(child_pid, 0) == -1);
  CHECK(becomes_true([&] { return !works(grandchild_pid); }));
}

#ifdef __linux__
TEST_CASE("child: it dies with a parent that is killed without warning") {
  int report[2];
  REQUIRE(pipe(report) == 0);
  const pid_t parent = fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    auto child = ChildProcess::start({"/bin/sh", "-c", "exec sleep 1000"});
    const pid_t pid = child ? child->pid() : 0;
    [[maybe_unused]] const auto written = write(report[1], &pid, sizeof pid);
    pause();
    _exit(0);
  }
  pid_t child = 0;
  REQUIRE(read(report[0], &child, sizeof child) == sizeof child);
  close(report[0]);
  close(report[1]);
  REQUIRE(child > 0);
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  CHECK(becomes_true([&] { return !works(child); }));
}
#endif

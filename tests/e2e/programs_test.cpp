// Each program by itself: it explains itself, starts fast, and says in one line what is missing.
#include <algorithm>

#include <catch2/catch.hpp>
#include <sys/resource.h>

#include "tests/e2e/machine.h"

using namespace waggle;
using namespace waggle::e2e;

namespace {
/// Processor time of the children that have ended. Start-up waits for nothing but the disk, and unlike the
/// clock on the wall this does not count what else the machine does.
double seconds_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
}  // namespace

TEST_CASE("programs: every one has --help and --version and starts in under a second") {
  for (const char* program : {"waggle", "waggle-queen", "waggle-worker-cpu", "waggle-worker-cuda",
                              "waggle-worker-metal", "waggle-bridge"}) {
    INFO(program);
    const Run help = run(program, {"--help"});
    CHECK(help.exit_status == 0);
    CHECK(help.output.find("--config") != std::string::npos);
    const double before = seconds_of_children();
    const Run version = run(program, {"--version"});
    CHECK(version.exit_status == 0);
    CHECK(version.output.find("0.") != std::string::npos);
    const double seconds = seconds_of_children() - before;
    CHECK(seconds < 1.0);
  }
}

TEST_CASE("programs: an unknown flag ends each with exit code 2") {
  for (const char* program : {"waggle", "waggle-queen", "waggle-worker-cpu", "waggle-bridge"}) {
    INFO(program);
    CHECK(run(program, {"--no-such-flag"}).exit_status == 2);
  }
}

TEST_CASE("programs: a worker without its device says so in one line and ends") {
  for (const char* program : {"waggle-worker-cuda", "waggle-worker-metal"}) {
    // An index that no machine has, so that the test holds on a machine with the device too.
    const std::string flag =
        std::string(program) == "waggle-worker-cuda" ? "--cuda-device" : "--metal-device";
    const Run worker = run(program, {"--model-path", WAGGLE_TEST_MODEL, flag, "99"});
    INFO(program << "\n" << worker.output);
    CHECK(worker.exit_status != 0);
    CHECK(std::count(worker.output.begin(), worker.output.end(), '\n') == 1);
  }
}

TEST_CASE("programs: a model of another kind than --sd-version is refused by name") {
  const Run worker = run("waggle-worker-cpu", {"--model-path", WAGGLE_TEST_MODEL, "--sd-version", "xl"});
  INFO(worker.output);
  CHECK(worker.exit_status == 4);
  CHECK(worker.output.find("sd15") != std::string::npos);
}

// Each program by itself: it explains itself, starts fast, and says in one line what is missing.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/e2e/machine.h"

using namespace waggle;
using namespace waggle::e2e;

TEST_CASE("programs: every one has --help and --version and starts in under a second") {
  for (const char* program : {"waggle", "waggle-queen", "waggle-worker-cpu", "waggle-worker-cuda",
                              "waggle-worker-metal", "waggle-bridge"}) {
    INFO(program);
    const Run help = run(program, {"--help"});
    CHECK(help.exit_status == 0);
    CHECK(help.output.find("--config") != std::string::npos);
    // The best of three: the machine may be busy with other tests.
    double seconds = 1e9;
    for (int i = 0; i < 3; ++i) {
      const Run version = run(program, {"--version"});
      CHECK(version.exit_status == 0);
      CHECK(version.output.find("0.") != std::string::npos);
      seconds = std::min(seconds, version.seconds);
    }
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

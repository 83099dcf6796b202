// The program itself, as a user starts it: help, and rubbish that must end in one line and exit code 2.
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "consumer/cli/child_process.h"
#include "consumer/cli/command.h"
#include "consumer/cli/private_folder.h"

using namespace waggle;
using namespace waggle::cli;
using namespace std::chrono_literals;

namespace {

struct Run {
  int exit_status = -1;
  std::vector<std::string> lines;
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const std::string& line : lines) all += line + "\n";
    return all;
  }
};

Run waggle_program(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), WAGGLE_PROGRAM);
  auto child = ChildProcess::start(arguments);
  REQUIRE(child);
  Run run;
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!child->wait(20ms) && std::chrono::steady_clock::now() < deadline) {
    for (std::string& line : child->lines()) run.lines.push_back(std::move(line));
  }
  for (std::string& line : child->lines(true)) run.lines.push_back(std::move(line));
  REQUIRE(child->poll());
  CHECK(child->poll()->signal == 0);
  run.exit_status = child->poll()->exit_status;
  return run;
}

const std::string kJob = "01890a5d-ac96-774b-bcce-b302099a8057";

}  // namespace

TEST_CASE("waggle: rubbish on the command line is one line and exit code 2") {
  const std::vector<std::vector<std::string>> rubbish{
      {},
      {"dance"},
      {"--dance"},
      {"submit"},
      {"submit", "a fox"},
      {"submit", "--model", "sd15"},
      {"submit", "--model", "sd15", "a fox", "another"},
      {"submit", "--model", "sd15", "a fox", "--steps", "0"},
      {"submit", "--model", "sd15", "a fox", "--steps", "many"},
      {"submit", "--model", "sd15", "a fox", "--steps", "99999999999999999999"},
      {"submit", "--model", "sd15", "a fox", "--guidance", "nan"},
      {"submit", "--model", "sd15", "a fox", "--seed", "-1"},
      {"submit", "--model", "sd15", "a fox", "--size", "513x512"},
      {"submit", "--model", "sd15", "a fox", "--size", "100000x8"},
      {"submit", "--model", "sd15", "a fox", "--size", "large"},
      {"submit", "--model", "sd15", "a fox", "-n", "0"},
      {"submit", "--model", "sd15", "a fox", "--format", "gif"},
      {"submit", "--model", "sd15", "a fox", "--priority", "11"},
      {"submit", "--model", "sd15", "a fox", "--worker", "not a worker"},
      {"submit", "--model", "sd15", "a fox", "--lora", "pencil:much"},
      {"submit", "--model", "sd15", "a fox", "--mask", "mask.png"},
      {"submit", "--model", "sd15", "a f\xff", "--seed", "1"},
      {"submit", "--model", "sd15", std::string(100'000, 'x')},
      {"submit", "--model", "sd15", "a fox", "--connect", "nowhere"},
      {"submit", "--model", "sd15", "a fox", "--redis", "http://127.0.0.1"},
      {"watch", "not-a-job"},
      {"status"},
      {"status", "../../etc/passwd"},
      {"cancel", kJob + "x"},
      {"fetch", ""},
      {"jobs", "--state", "asleep"},
      {"jobs", "--limit", "0"},
      {"drain", "not a worker"},
      {"render", "-o", "out.png"},
      {"render", "--model", "/no/such/model", "a fox", "-o", "out.gif"},
      {"render", "--model", "/no/such/model", "a fox", "--precision", "fp7"},
      {"render", "--model", "/no/such/model", "-o", "out.png"},
      {"render", "--model", "/no/such/model", "--like", "/etc/passwd", "-o", "out.png"},
      {"view"},
      {"view", "--how", "oil", "x.png"},
      {"view", "--width", "0", "x.png"},
      {"view", "/etc/passwd"},
      {"info"},
      {"info", "--json", "--raw", "x.png"},
      {"info", "/etc/passwd"},
      {"show", "not-a-job"},
      {"logs"},
      {"top", "--every", "0"},
      {"man", "dance"},
      {"man", "--all", "/no/such/folder"},
      {"completion"},
      {"completion", "tcsh"},
      {"up", "--model", "/no/such/model"},
      {"up", "--port", "65536"},
  };
  for (const auto& arguments : rubbish) {
    std::string line;
    for (const std::string& argument : arguments) line += argument.substr(0, 40) + " ";
    const Run run = waggle_program(arguments);
    INFO("waggle " << line << "\n" << run.text());
    CHECK(run.lines.size() == 1);
    // A model that cannot be read is no fault of the command line.
    const bool model_first = line.find("fp7") != std::string::npos;
    CHECK((run.exit_status == 2 || (model_first && run.exit_status == 1)));
  }
}

TEST_CASE("waggle: every command explains itself, with examples") {
  const Run help = waggle_program({"--help"});
  CHECK(help.exit_status == 0);
  CHECK(help.text().find("Exit codes:") != std::string::npos);
  for (const Command* command : commands()) {
    const std::string name(command->name);
    INFO(name);
    CHECK(help.text().find("  " + name) != std::string::npos);
    const Run run = waggle_program({name, "--help"});
    CHECK(run.exit_status == 0);
    CHECK(run.text().find("Examples:") != std::string::npos);
    CHECK(run.text().find("waggle " + name) != std::string::npos);
  }
}

TEST_CASE("waggle: the version is told without a queue") {
  CHECK(waggle_program({"version"}).exit_status == 0);
  const Run run = waggle_program({"--version"});
  CHECK(run.exit_status == 0);
  CHECK(run.text().find("waggle 0.") == 0);
}

TEST_CASE("waggle: a queue that is not there is exit code 3, with what to do about it") {
  const PrivateFolder folder("waggle-test-");
  const std::string socket = "ipc://" + folder.path().string() + "/";
  const std::string connect = socket + "a," + socket + "b," + socket + "c";
  for (const char* command : {"workers", "models", "stats", "jobs", "top"}) {
    const Run run = waggle_program({command, "--connect", connect, "--timeout", "0.2"});
    INFO(run.text());
    CHECK(run.exit_status == 3);
    CHECK(run.lines.size() == 1);
    CHECK(run.text().find("waggle up") != std::string::npos);
  }
}

// What all programs share: flags, the environment, configuration files, keys, queens and stop signals.
#include "consumer/program/program.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "consumer/program/key_files.h"
#include "consumer/program/queens.h"
#include "consumer/program/stop_signal.h"

namespace waggle::program {
namespace {

class Environment {
 public:
  Environment(const char* variable, const char* value) : variable_(variable) { setenv(variable, value, 1); }
  ~Environment() { unsetenv(variable_); }

 private:
  const char* variable_;
};

class File {
 public:
  explicit File(const std::string& text)
      : path(std::filesystem::temp_directory_path() /
             ("waggle-test-" + std::to_string(getpid()) + "-" + std::to_string(++count) + ".conf")) {
    std::ofstream(path) << text;
  }
  ~File() { std::filesystem::remove(path); }
  const std::filesystem::path path;

 private:
  static inline int count = 0;
};

struct Outcome {
  int code = 0;
  std::string color;
  bool quiet = false;
};

Outcome run(std::vector<std::string> arguments) {
  Program program("waggle-test", "A program.");
  Outcome outcome;
  outcome.color = "none";
  program.flags().add_option("--wing-color,--color", outcome.color, "Of the wings");
  program.flags().add_flag("--quiet", outcome.quiet, "Say nothing");
  arguments.insert(arguments.begin(), {"waggle-test", "--log-level", "off"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  outcome.code = program.run(static_cast<int>(argv.size()), argv.data(), [] { return 0; });
  return outcome;
}

TEST_CASE("program: the command line beats the environment, which beats the file, which beats the default") {
  const File file("wing-color = \"file\"\nquiet = true\n");
  const std::vector<std::string> with_file{"--config", file.path.string()};
  CHECK(run({}).color == "none");
  CHECK(run(with_file).color == "file");
  CHECK(run(with_file).quiet);
  const Environment environment("WAGGLE_WING_COLOR", "environment");
  CHECK(run({}).color == "environment");
  CHECK(run(with_file).color == "environment");
  CHECK(run({"--color", "flag"}).color == "flag");
  CHECK(run({"--config", file.path.string(), "--wing-color", "flag"}).color == "flag");
}

TEST_CASE("program: mistyped flags, keys and files end with the code for bad usage") {
  CHECK(run({"--colour", "red"}).code == kUsage);
  CHECK(run({"--config", "/nonexistent.toml"}).code == kUsage);
  const File file("colour = \"red\"\n");
  CHECK(run({"--config", file.path.string()}).code == kUsage);
}

TEST_CASE("program: the configuration file may be named by the environment") {
  const File file("wing-color = \"file\"\n");
  const Environment environment("WAGGLE_CONFIG", file.path.c_str());
  CHECK(run({}).color == "file");
}

TEST_CASE("program: an exception of the body is an exit code") {
  Program program("waggle-test", "A program.");
  std::string arguments[] = {"waggle-test", "--log-level", "off"};
  char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data()};
  CHECK(program.run(3, argv, []() -> int { throw std::runtime_error("no"); }) == kFailure);
  Program other("waggle-test", "A program.");
  CHECK(other.run(3, argv, []() -> int { throw 5; }) == kFailure);
}

TEST_CASE("program: --connect takes one endpoint, three endpoints and several queens") {
  CHECK(parse_queens({}).value().at(0).requests == "tcp://127.0.0.1:5550");
  const auto queens = parse_queens({"tcp://a:10 tcp://b:1,tcp://b:2,ipc:///c"});
  REQUIRE(queens);
  REQUIRE(queens->size() == 2);
  CHECK((*queens)[0].publish == "tcp://a:11");
  CHECK((*queens)[0].collect == "tcp://a:12");
  CHECK((*queens)[1].collect == "ipc:///c");
  CHECK(each(*queens, &bus::Endpoints::requests) == std::vector<std::string>{"tcp://a:10", "tcp://b:1"});
  for (const char* bad :
       {"a:10", "tcp://a", "tcp://a:x", "tcp://a:65534", "tcp://a:1,tcp://b:2", "tcp://:1,x,y"}) {
    CHECK_FALSE(parse_queens({bad}));
  }
}

TEST_CASE("program: key files are read, and refused with their line") {
  const std::string key(40, 'k');
  KeyFiles files;
  CHECK_FALSE(read_keys(files).value());
  const File good("# mine\npublic " + key + "\nsecret " + key + "\n");
  files.own = good.path;
  files.allow = good.path;
  const auto security = read_keys(files);
  REQUIRE(security);
  REQUIRE(security->has_value());
  CHECK((*security)->secret_key == key);
  CHECK((*security)->allowed_keys == std::vector{key});
  CHECK((*security)->unlimited_keys.empty());
  const std::string bridge(40, 'b');
  const File list("public " + key + " # a client\npublic " + bridge + " unlimited\n");
  files.allow = list.path;
  CHECK(read_keys(files).value()->allowed_keys == std::vector{key, bridge});
  CHECK(read_keys(files).value()->unlimited_keys == std::vector{bridge});
  const File typed("public " + bridge + " unlimitted\n");
  files.allow = typed.path;
  CHECK(read_keys(files).error().message.find("line 1") != std::string::npos);
  files = {};
  files.allow = good.path;
  CHECK_FALSE(read_keys(files));
  const File bad("public short\n");
  files.own = bad.path;
  CHECK(read_keys(files).error().message.find("line 1") != std::string::npos);
}

TEST_CASE("program: SIGTERM and SIGINT are counted, and a closed stop signal leaves none behind") {
  const pid_t child = fork();
  if (child == 0) {
    // In a process of its own, where no other thread of the test runner may take the signal.
    int failures = 0;
    {
      StopSignal stop;
      failures += stop.count() != 0 || stop.wait(std::chrono::milliseconds(0));
      kill(getpid(), SIGTERM);
      failures += !stop.wait(std::chrono::seconds(10));
      kill(getpid(), SIGINT);
      while (stop.count() < 2) usleep(1000);
    }
    StopSignal second;
    failures += second.count() != 0;
    second.request();
    failures += !second.wait(std::chrono::seconds(10));
    _exit(failures);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace waggle::program

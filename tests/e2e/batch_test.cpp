// `waggle batch` as a user runs it overnight: killed, interrupted, its pool restarted under it, and resumed.
// What an unbroken run leaves is the measure: the same files, each once.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "consumer/cli/private_folder.h"
#include "pipeline/image/picture.h"
#include "tests/e2e/machine.h"
#include "tests/e2e/on_terminal.h"

using namespace waggle;
using namespace waggle::e2e;

namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Every picture by its name; the manifest left out.
std::map<std::string, std::string> pictures_in(const fs::path& folder) {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().filename() != "manifest.jsonl")
      found[fs::relative(entry.path(), folder)] = bytes_of(entry.path());
  }
  return found;
}

/// How many jobs the manifest says are completed; 0 while there is none.
long completed(const fs::path& folder) {
  const std::string text = bytes_of(folder / "manifest.jsonl");
  long count = 0;
  for (std::size_t at = 0; (at = text.find("\"end\":\"completed\"", at)) != std::string::npos; ++at) ++count;
  return count;
}

void write_prompts(const fs::path& file, int count) {
  std::ofstream stream(file);
  for (int i = 0; i < count; ++i)
    stream << "a bee on flower " << i << " --seed " << 1000 * i << " --steps 4\n";
}

std::vector<std::string> two_workers(const std::string& step) {
  auto flags = null_pool(step);
  flags.insert(flags.end(), {"--workers", "2", "--quiet"});
  return flags;
}

cli::ChildProcess start(const Pool& pool, std::vector<std::string> arguments) {
  arguments = pool.told(std::move(arguments));
  arguments.insert(arguments.begin(), std::string(WAGGLE_PROGRAMS) + "/waggle");
  auto child = cli::ChildProcess::start(arguments);
  REQUIRE(child);
  return std::move(child).value();
}

/// Waits until so many jobs are completed, reading what the child prints, so that it never waits for us.
void wait_for_completed(cli::ChildProcess& child, const fs::path& folder, long count) {
  REQUIRE(eventually(
      [&] {
        child.lines();
        return completed(folder) >= count || child.poll().has_value();
      },
      120s));
}

/// Runs `count` prompts once without a break and once killed at three moments, and compares.
void survives_three_kills(int count, const std::string& step, unsigned seed) {
  const cli::PrivateFolder folder("waggle-test-");
  const fs::path prompts = folder.path() / "prompts.txt", whole = folder.path() / "whole",
                 broken = folder.path() / "broken";
  write_prompts(prompts, count);
  Pool pool(two_workers(step));
  const Run unbroken = pool.waggle({"batch", prompts, "--model", "null", "--out", whole});
  INFO(unbroken.output);
  REQUIRE(unbroken.exit_status == 0);

  std::mt19937 random(seed);
  std::vector<long> moments(3);
  for (long& moment : moments) moment = std::uniform_int_distribution<long>(1, count - 5)(random);
  std::sort(moments.begin(), moments.end());
  long done = 0;
  for (std::size_t kill = 0; kill < moments.size(); ++kill) {
    std::vector<std::string> arguments{"batch", prompts, "--model", "null", "--out", broken};
    if (kill > 0) arguments = {"batch", "--resume", "--out", broken};
    auto child = start(pool, arguments);
    wait_for_completed(child, broken, std::max(moments[kill], done + 1));
    child.send_signal(SIGKILL);
    REQUIRE(child.wait(10s));
    CHECK(completed(broken) >= done);
    done = completed(broken);
  }
  const Run resumed = pool.waggle({"batch", "--resume", "--out", broken});
  INFO(resumed.output);
  CHECK(resumed.exit_status == 0);

  const auto expected = pictures_in(whole), found = pictures_in(broken);
  CHECK(expected.size() == static_cast<std::size_t>(count));
  CHECK(found == expected);
  // No job was made twice, not even one that nobody fetched.
  const auto stats = nlohmann::json::parse(pool.waggle({"stats", "--json"}).output);
  CHECK(stats.at("completed") == 2 * count);
  CHECK(stats.at("queued") == 0);
  CHECK(stats.at("cancelled") == 0);
  // And a run that is done has nothing to do.
  const Run again = pool.waggle({"batch", "--resume", "--out", broken});
  CHECK(again.exit_status == 0);
  CHECK(nlohmann::json::parse(pool.waggle({"stats", "--json"}).output).at("completed") == 2 * count);
}

}  // namespace

TEST_CASE("batch: killed three times and resumed, a run leaves what an unbroken one leaves") {
  survives_three_kills(60, "3ms", 7);
}

TEST_CASE("batch: 500 prompts, killed three times and resumed", "[.slow]") {
  survives_three_kills(500, "10ms", 20261123);
}

TEST_CASE("batch: queen and Redis are killed in mid-run, and it goes on") {
  const cli::PrivateFolder folder("waggle-test-");
  write_prompts(folder.path() / "prompts.txt", 60);
  Pool pool(two_workers("20ms"));
  const fs::path out = folder.path() / "out";
  auto child =
      start(pool, {"batch", folder.path() / "prompts.txt", "--model", "null", "--out", out, "--window", "8"});
  wait_for_completed(child, out, 5);
  REQUIRE(kill(pool.pid("queen"), SIGKILL) == 0);
  wait_for_completed(child, out, 20);
  REQUIRE(kill(pool.pid("redis"), SIGKILL) == 0);
  REQUIRE(eventually(
      [&] {
        child.lines();
        return child.poll().has_value();
      },
      120s));
  CHECK(child.poll()->exit_status == 0);
  CHECK(pictures_in(out).size() == 60);
}

TEST_CASE("batch: Ctrl-C cancels what is queued, keeps what is done, and says how to go on") {
  const cli::PrivateFolder folder("waggle-test-");
  write_prompts(folder.path() / "prompts.txt", 60);
  Pool pool(two_workers("20ms"));
  const fs::path out = folder.path() / "out";
  auto child = start(pool, {"batch", folder.path() / "prompts.txt", "--model", "null", "--out", out});
  wait_for_completed(child, out, 3);
  child.send_signal(SIGINT);
  const auto end = child.wait(20s);
  REQUIRE(end);
  CHECK(end->exit_status == 130);
  std::string output;
  for (const std::string& line : child.lines(true)) output += line + "\n";
  CHECK(output.find("waggle batch --resume --out '" + out.string()) != std::string::npos);
  const auto kept = pictures_in(out);
  CHECK(kept.size() < 60);
  const auto stats = nlohmann::json::parse(pool.waggle({"stats", "--json"}).output);
  CHECK(stats.at("queued") == 0);
  CHECK(stats.at("cancelled").get<int>() > 0);

  const Run resumed = pool.waggle({"batch", "--resume", "--out", out});
  INFO(resumed.output);
  CHECK(resumed.exit_status == 0);
  const auto all = pictures_in(out);
  CHECK(all.size() == 60);
  for (const auto& [name, bytes] : kept) CHECK(all.at(name) == bytes);
}

TEST_CASE("batch: a run is not begun twice in one folder, nor resumed with another file") {
  const cli::PrivateFolder folder("waggle-test-");
  const fs::path prompts = folder.path() / "prompts.txt", out = folder.path() / "out";
  write_prompts(prompts, 3);
  Pool pool(null_pool("1ms"));
  const std::vector<std::string> arguments{"batch", prompts, "--model",         "null",
                                           "--out", out,     "--contact-sheet", folder.path() / "sheet.png"};
  const Run first = pool.waggle(arguments);
  INFO(first.output);
  REQUIRE(first.exit_status == 0);
  CHECK(fs::exists(folder.path() / "sheet.png"));
  const Run second = pool.waggle(arguments);
  CHECK(second.exit_status == 2);
  CHECK(second.output.find("--resume") != std::string::npos);
  auto resumed = arguments;
  resumed.emplace_back("--resume");
  CHECK(pool.waggle(resumed).exit_status == 0);
  write_prompts(prompts, 4);
  const Run changed = pool.waggle(resumed);
  CHECK(changed.exit_status == 2);
  CHECK(changed.output.find("not those that the run") != std::string::npos);
}

TEST_CASE("batch: every mistake of a file is told before anything is submitted") {
  const cli::PrivateFolder folder("waggle-test-");
  std::ofstream(folder.path() / "jobs.jsonl") << R"({"prompt":"a","steps":0})"
                                                 "\n"
                                                 R"({"prompt":"b"})"
                                                 "\n[1]\n"
                                              << R"({"promt":"c"})"
                                                 "\n";
  const Run checked = run("waggle", {"batch", folder.path() / "jobs.jsonl", "--model", "null", "--check"});
  INFO(checked.output);
  CHECK(checked.exit_status == 2);
  for (const char* told : {"jobs.jsonl:1: /steps: must be", "jobs.jsonl:3: must be an object",
                           "jobs.jsonl:4: /prompt: is required", "jobs.jsonl:4: /promt: is no field"}) {
    CHECK(checked.output.find(told) != std::string::npos);
  }
  CHECK_FALSE(fs::exists(folder.path() / "out"));
  write_prompts(folder.path() / "good.txt", 5);
  const Run good = run("waggle", {"batch", folder.path() / "good.txt", "--model", "null", "--check", "--grid",
                                  "sampler=euler,ddim"});
  CHECK(good.exit_status == 0);
  CHECK(good.output.find("10 jobs, 10 pictures") != std::string::npos);
}

TEST_CASE("batch: an unknown model ends the run at once and leaves no run to resume") {
  const cli::PrivateFolder folder("waggle-test-");
  write_prompts(folder.path() / "prompts.txt", 5);
  Pool pool(null_pool("1ms"));
  const Run refused =
      pool.waggle({"batch", folder.path() / "prompts.txt", "--model", "nil", "--out", folder.path() / "out"});
  INFO(refused.output);
  CHECK(refused.exit_status == 2);
  CHECK_FALSE(fs::exists(folder.path() / "out" / "manifest.jsonl"));
}

TEST_CASE("batch: in process and by the pool the pictures are the same") {
  const cli::PrivateFolder folder("waggle-test-");
  std::ofstream(folder.path() / "prompts.csv")
      << "prompt,seed,steps\r\n\"a bee, red\",1,3\r\na fox,2,3\r\nan owl,3,3\r\n";
  const std::vector<std::string> settings{"--size", "64x64", "--name", "{index}"};
  auto local = settings, pooled = settings;
  local.insert(local.begin(),
               {"batch", folder.path() / "prompts.csv", "--local", "--model", WAGGLE_TEST_MODEL,
                "--precision", "fp32", "--threads", "1", "--out", folder.path() / "local"});
  const Run rendered = run("waggle", local, 120s);
  INFO(rendered.output);
  REQUIRE(rendered.exit_status == 0);
  Pool pool(model_pool());
  pooled.insert(pooled.begin(),
                {"batch", folder.path() / "prompts.csv", "--model", "sd15", "--out", folder.path() / "pool"});
  const Run fetched = pool.waggle(pooled);
  INFO(fetched.output);
  REQUIRE(fetched.exit_status == 0);
  const auto here = pictures_in(folder.path() / "local"), there = pictures_in(folder.path() / "pool");
  REQUIRE(here.size() == 3);
  REQUIRE(there.size() == 3);
  for (const auto& [name, bytes] : here) {
    const auto one = pipeline::decode(bytes), other = pipeline::decode(there.at(name));
    REQUIRE(one);
    REQUIRE(other);
    REQUIRE(one->samples.size() == other->samples.size());
    // Jobs that share a UNet call add up in another order: the last bit of a sample may differ.
    int most = 0;
    for (std::size_t i = 0; i < one->samples.size(); ++i)
      most = std::max(most, std::abs(one->samples[i] - other->samples[i]));
    CHECK(most <= 1);
  }
}

TEST_CASE("batch: in process, a run without a model is the demo model's, and goes on as that") {
  const cli::PrivateFolder folder("waggle-test-");
  std::ofstream(folder.path() / "prompts.txt")
      << "a red circle --seed 1 --steps 1\na blue star --seed 2 --steps 1\n";
  const std::vector<std::string> arguments{"batch", folder.path() / "prompts.txt", "--local", "--out",
                                           folder.path() / "out"};
  const Run rendered = run("waggle", arguments, 120s);
  INFO(rendered.output);
  REQUIRE(rendered.exit_status == 0);
  const auto pictures = pictures_in(folder.path() / "out");
  REQUIRE(pictures.size() == 2);
  CHECK(pictures.begin()->second.find("waggle-shapes") != std::string::npos);
  fs::remove(folder.path() / "out" / pictures.begin()->first);
  auto resumed = arguments;
  resumed.emplace_back("--resume");
  const Run again = run("waggle", resumed, 120s);
  INFO(again.output);
  CHECK(again.exit_status == 0);
  CHECK(pictures_in(folder.path() / "out").size() == 2);
}

TEST_CASE("batch: jobs that failed are left alone by --resume and rendered by --retry-failed") {
  const cli::PrivateFolder folder("waggle-test-");
  std::ofstream(folder.path() / "jobs.jsonl") << R"({"prompt":"late","deadline_s":6,"seed":1})"
                                                 "\n"
                                              << R"({"prompt":"later","deadline_s":6,"seed":2})"
                                                 "\n";
  Pool pool(null_pool("1ms"));
  REQUIRE(pool.waggle({"pause", "null"}).exit_status == 0);
  const fs::path out = folder.path() / "out";
  const Run first = pool.waggle({"batch", folder.path() / "jobs.jsonl", "--model", "null", "--out", out});
  INFO(first.output);
  CHECK(first.exit_status == 1);
  CHECK(first.output.find("--retry-failed") != std::string::npos);
  CHECK(pictures_in(out).empty());
  REQUIRE(pool.waggle({"resume", "null"}).exit_status == 0);
  const Run resumed = pool.waggle({"batch", "--resume", "--out", out});
  INFO(resumed.output);
  CHECK(resumed.exit_status == 1);
  CHECK(pictures_in(out).empty());
  const Run retried = pool.waggle({"batch", "--retry-failed", "--out", out});
  INFO(retried.output);
  CHECK(retried.exit_status == 0);
  CHECK(pictures_in(out).size() == 2);
  const auto stats = nlohmann::json::parse(pool.waggle({"stats", "--json"}).output);
  CHECK(stats.at("expired") == 2);
  CHECK(stats.at("completed") == 2);
}

TEST_CASE("batch: a queue with less room than the window takes the run in turns") {
  const cli::PrivateFolder folder("waggle-test-");
  write_prompts(folder.path() / "prompts.txt", 30);
  setenv("WAGGLE_MAX_QUEUED", "2", 1);
  Pool pool(two_workers("3ms"));
  unsetenv("WAGGLE_MAX_QUEUED");
  const fs::path out = folder.path() / "out";
  const Run run = pool.waggle(
      {"batch", folder.path() / "prompts.txt", "--model", "null", "--out", out, "--window", "20"});
  INFO(run.output);
  CHECK(run.exit_status == 0);
  CHECK(pictures_in(out).size() == 30);
  const auto stats = nlohmann::json::parse(pool.waggle({"stats", "--json"}).output);
  CHECK(stats.at("completed") == 30);
}

TEST_CASE("batch: on a terminal the run and each worker have a line, which the summary replaces") {
  const cli::PrivateFolder folder("waggle-test-");
  write_prompts(folder.path() / "prompts.txt", 24);
  Pool pool(two_workers("20ms"));
  auto arguments = pool.told({"batch", folder.path() / "prompts.txt", "--model", "null", "--out",
                              folder.path() / "out", "--window", "8"});
  arguments.insert(arguments.begin(), std::string(WAGGLE_PROGRAMS) + "/waggle");
  OnTerminal terminal(arguments, 60, 20);
  CHECK(terminal.says("] a bee on flower"));
  CHECK(terminal.end() == 0);
  CHECK(terminal.heard().find("24 of 24 jobs done") != std::string::npos);
  CHECK(pictures_in(folder.path() / "out").size() == 24);
}

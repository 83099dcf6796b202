// Looking at a pool: show, logs, jobs and top, in pipes and on a terminal that the test plays.
#include <algorithm>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/e2e/machine.h"
#include "tests/e2e/on_terminal.h"

using namespace waggle;
using namespace waggle::e2e;

TEST_CASE("observe: show and logs tell what happened to a job, and to one that runs") {
  Pool pool(null_pool("20ms"));
  const JobId done = pool.submit("null", {"--steps", "3", "--seed", "42", "--negative", "wasps"});
  CHECK(pool.wait_for_end(done).state == JobState::completed);

  const Run show = pool.waggle({"show", done.value});
  INFO(show.output);
  CHECK(show.exit_status == 0);
  for (const char* part : {"completed", "a bee on a flower", "wasps", "seed", "Attempts", "worker-1", "3/3",
                           "queued", "started on worker-1"})
    CHECK(show.output.find(part) != std::string::npos);
  const auto json = nlohmann::json::parse(pool.waggle({"show", done.value, "--json"}).output);
  CHECK(json["status"]["state"] == "completed");
  CHECK(json["request"]["seed"] == 42);
  CHECK(json["events"].size() == 3);

  const Run logs = pool.waggle({"logs", done.value});
  CHECK(logs.exit_status == 0);
  CHECK(std::count(logs.output.begin(), logs.output.end(), '\n') == 3);
  const Run all = pool.waggle({"logs", done.value, "--all"});
  CHECK(all.output.find("step 3/3") != std::string::npos);

  const JobId running = pool.submit("null", {"--steps", "200"});
  pool.wait_for_step(running, 1);
  CHECK(pool.waggle({"show", running.value}).output.find("running") != std::string::npos);
  const Run followed = pool.waggle({"logs", running.value, "--follow"});
  CHECK(followed.exit_status == 0);
  CHECK(followed.output.find("completed") != std::string::npos);

  const Run unknown = pool.waggle({"show", "01890a5d-ac96-774b-bcce-b302099a8057"});
  CHECK(unknown.exit_status == 2);
  CHECK(unknown.output.find("waggle jobs") != std::string::npos);
}

TEST_CASE("observe: jobs are listed by state, model and tenant") {
  Pool pool(null_pool("1ms"));
  const JobId anna = pool.submit("null", {"--steps", "1", "--tenant", "anna"});
  const JobId bert = pool.submit("null", {"--steps", "1", "--tenant", "bert"});
  pool.wait_for_end(anna);
  pool.wait_for_end(bert);
  const auto listed = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), "jobs");
    const Run run = pool.waggle(std::move(flags));
    CHECK(run.exit_status == 0);
    return std::pair(run.output.find(anna.value) != std::string::npos,
                     run.output.find(bert.value) != std::string::npos);
  };
  CHECK(listed({}) == std::pair(true, true));
  CHECK(listed({"--tenant", "anna"}) == std::pair(true, false));
  CHECK(listed({"--tenant", "bert", "--model", "null", "--json"}) == std::pair(false, true));
  CHECK(listed({"--model", "other"}) == std::pair(false, false));
  CHECK(listed({"--state", "queued"}) == std::pair(false, false));
  CHECK(listed({"--limit", "1", "--model", "null"}) == std::pair(false, true));
}

TEST_CASE("observe: top in a pipe is one plain picture of the pool") {
  Pool pool(null_pool("20ms"));
  const JobId first = pool.submit("null", {"--steps", "500"});
  pool.submit("null", {"--steps", "500"});
  pool.submit("null", {"--steps", "500"});
  pool.wait_for_step(first, 1);
  // The worker says that it is busy with its next heartbeat.
  Run top;
  CHECK(eventually([&] {
    top = pool.waggle({"top"});
    return top.output.find("busy") != std::string::npos;
  }));
  INFO(top.output);
  CHECK(top.exit_status == 0);
  for (const char* part : {"queued 2", "running 1", "worker-1", "busy", "/500"})
    CHECK(top.output.find(part) != std::string::npos);
  CHECK(top.output.find('\033') == std::string::npos);
  const auto json = nlohmann::json::parse(pool.waggle({"top", "--json"}).output);
  CHECK(json["models"][0]["queued"] == 2);
  CHECK(json["models"][0]["running"] == 1);
  CHECK(json["models"][0].contains("oldest_at_ms"));
  CHECK(json["running"][0]["job_id"] == first.value);
}

TEST_CASE(
    "observe: top on a terminal redraws, pauses, follows the window and leaves the terminal as it was") {
  Pool pool(null_pool("20ms"));
  auto arguments = pool.told({"top", "--every", "0.1"});
  arguments.insert(arguments.begin(), std::string(WAGGLE_PROGRAMS) + "/waggle");
  OnTerminal top(std::move(arguments), 80, 24);
  CHECK(top.says("\033[?1049h"));
  CHECK(top.says("no job waits or runs"));
  const JobId job = pool.submit("null", {"--steps", "500"});
  pool.wait_for_step(job, 1);
  CHECK(top.says("/500"));
  top.type('p');
  CHECK(top.says("(paused)"));
  top.resize(40, 10);
  CHECK(top.says("q quit"));
  top.type('p');
  CHECK(top.says("p pause"));
  top.type('q');
  CHECK(top.end() == 0);
  CHECK(top.heard().find("\033[?1049l") != std::string::npos);
}

TEST_CASE("observe: every command has a page that groff reads without a warning, and bash completes them") {
  const Run pages = run("waggle", {"man"});
  CHECK(pages.exit_status == 0);
  CHECK(pages.output.find(".TH") != std::string::npos);
  CHECK(run("waggle", {"man", "render"}).output.find("\\-\\-like") != std::string::npos);
  CHECK(run("waggle", {"man", "dance"}).exit_status == 2);
  for (const char* program :
       {"waggle-queen", "waggle-worker-cpu", "waggle-worker-cuda", "waggle-worker-metal", "waggle-bridge"}) {
    INFO(program);
    const Run man = run(program, {"--man"});
    CHECK(man.exit_status == 0);
    CHECK(man.output.find(".SH \"EXIT STATUS\"") + man.output.find(".SH EXIT STATUS") !=
          2 * std::string::npos);
    CHECK(run(program, {"--completion", "bash"}).output.find("complete -F") != std::string::npos);
    CHECK(run(program, {"--completion", "tcsh"}).exit_status == 2);
  }
  CHECK(run("waggle", {"completion", "tcsh"}).exit_status == 2);
}

// Looking at a pool: show, logs, jobs and top, in pipes and on a terminal that the test plays.
#include <csignal>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/machine.h"

using namespace waggle;
using namespace waggle::e2e;

namespace {

/// A program on a pseudo terminal of this size.
class OnTerminal {
 public:
  OnTerminal(std::vector<std::string> arguments, unsigned short columns, unsigned short rows) {
    winsize size{rows, columns, 0, 0};
    child_ = forkpty(&master_, nullptr, nullptr, &size);
    REQUIRE(child_ >= 0);
    if (child_ != 0) return;
    setenv("TERM", "xterm-256color", 1);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    execv(pointers.front(), pointers.data());
    _exit(127);
  }
  ~OnTerminal() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    close(master_);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  /// Reads until the text has come since the last call; false when it does not.
  bool says(const std::string& text) {
    const bool found = eventually([&] {
      read_waiting();
      return heard_.find(text) != std::string::npos;
    });
    if (found) heard_.clear();
    return found;
  }
  void type(char key) { REQUIRE(write(master_, &key, 1) == 1); }
  void resize(unsigned short columns, unsigned short rows) {
    winsize size{rows, columns, 0, 0};
    REQUIRE(ioctl(master_, TIOCSWINSZ, &size) == 0);
  }
  /// Its exit status once it has ended by itself.
  int end() {
    int status = 0;
    const bool ended = eventually([&] {
      read_waiting();
      return waitpid(child_, &status, WNOHANG) == child_;
    });
    REQUIRE(ended);
    child_ = -1;
    read_waiting();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] const std::string& heard() const { return heard_; }

 private:
  void read_waiting() {
    char buffer[4096];
    for (pollfd input{master_, POLLIN, 0}; poll(&input, 1, 0) > 0;) {
      const ssize_t got = read(master_, buffer, sizeof buffer);
      if (got <= 0) return;
      heard_.append(buffer, static_cast<std::size_t>(got));
    }
  }

  int master_ = -1;
  pid_t child_ = -1;
  std::string heard_;
};

}  // namespace

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

  const JobId running = pool.submit("null", {"--steps", "50"});
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
  const Run top = pool.waggle({"top"});
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

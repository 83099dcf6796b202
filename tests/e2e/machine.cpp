// Starting and watching real processes.
#include "tests/e2e/machine.h"

#include <csignal>
#include <fstream>
#include <thread>
#include <utility>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace waggle::e2e {

namespace {
using Clock = std::chrono::steady_clock;
constexpr auto kPause = 10ms;
}  // namespace

void poll_pause() { std::this_thread::sleep_for(kPause); }

Run run(const std::string& program, std::vector<std::string> arguments, std::chrono::seconds within) {
  arguments.insert(arguments.begin(), std::string(WAGGLE_PROGRAMS) + "/" + program);
  const auto started = Clock::now();
  auto child = cli::ChildProcess::start(arguments);
  REQUIRE(child);
  Run result;
  const auto take = [&](bool rest) {
    for (const std::string& line : child->lines(rest)) result.output += line + "\n";
  };
  while (!child->wait(kPause) && Clock::now() - started < within) take(false);
  take(true);
  INFO(program << " " << arguments[1] << "\n" << result.output);
  REQUIRE(child->poll());
  result.exit_status = child->poll()->signal == 0 ? child->poll()->exit_status : -1;
  return result;
}

bool is_alive(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return static_cast<bool>(stat >> number >> name >> state) && state != "Z" && state != "X";
}

Pool::Pool(std::vector<std::string> flags) {
  std::signal(SIGPIPE, SIG_IGN);  // tests kill the Redis that this process talks to
  std::vector<std::string> arguments{std::string(WAGGLE_PROGRAMS) + "/waggle", "up", "--json"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  auto started = cli::ChildProcess::start(arguments);
  REQUIRE(started);
  process_ = std::make_unique<cli::ChildProcess>(std::move(started).value());
  std::string ready;
  eventually(
      [&] {
        for (const std::string& line : process_->lines()) {
          log_ += line + "\n";
          if (line.starts_with("{\"url\"")) ready = line;
        }
        return !ready.empty() || process_->poll().has_value();
      },
      60s);
  INFO(log_);
  REQUIRE_FALSE(ready.empty());
  const auto endpoints = nlohmann::json::parse(ready);
  connect_ = endpoints.at("connect");
  redis_url_ = endpoints.at("redis_url");
  data_ = endpoints.at("data").get<std::string>();
  pids_ = endpoints.at("pids").get<std::map<std::string, int>>();
  const std::string url = endpoints.at("url");
  port_ = std::stoi(url.substr(url.rfind(':') + 1));
  cli::HiveFlags hive;
  hive.connect = {connect_};
  hive.redis_url = redis_url_;
  auto opened = cli::Hive::open(hive);
  REQUIRE(opened);
  hive_ = std::move(opened).value();
}

Pool::~Pool() {
  if (!process_) return;
  for (int signals = 0; signals < 2; ++signals) {
    process_->send_signal(SIGTERM);
    if (process_->wait(signals == 0 ? 500ms : 20s)) return;
  }
}

std::vector<std::string> Pool::told(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin() + 1, {"--connect", connect_, "--redis-url", redis_url_});
  return arguments;
}

Run Pool::waggle(std::vector<std::string> arguments) { return run("waggle", told(std::move(arguments))); }

JobId Pool::submit(const std::string& model, std::vector<std::string> flags) {
  std::vector<std::string> arguments{"submit", "--model", model, "a bee on a flower"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const Run submitted = waggle(std::move(arguments));
  INFO(submitted.output);
  REQUIRE(submitted.exit_status == 0);
  const std::string id = submitted.output.substr(0, submitted.output.find('\n'));
  REQUIRE(is_valid_job_id(id));
  return JobId(id);
}

JobStatus Pool::status(const JobId& job) {
  auto status = hive_->ledger().status(job);
  if (!status) FAIL(to_string(status.error()));
  return std::move(status).value();
}

std::vector<Event> Pool::events(const JobId& job) {
  auto page = hive_->ledger().events(job, EventId());
  if (!page) FAIL(to_string(page.error()));
  return std::move(page).value().events;
}

void Pool::wait_for_step(const JobId& job, int step, int attempt) {
  const bool reached = eventually(
      [&] {
        const JobStatus now = status(job);
        if (is_terminal(now.state)) FAIL("the job ended as " << name(now.state) << " before step " << step);
        return now.attempt == attempt && now.step >= step;
      },
      120s);
  REQUIRE(reached);
}

JobStatus Pool::wait_for_end(const JobId& job) {
  JobStatus last;
  const bool ended = eventually([&] { return is_terminal((last = status(job)).state); }, 120s);
  INFO("state " << name(last.state) << ", attempt " << last.attempt << ", step " << last.step);
  for (const std::string& line : process_->lines()) log_ += line + "\n";
  INFO(log_);
  REQUIRE(ended);
  return last;
}

std::vector<int> Pool::all_pids() const {
  std::vector<int> all;
  for (const auto& [part, pid] : pids_) all.push_back(pid);
  return all;
}

std::vector<std::string> null_pool(const std::string& step) {
  return {"--worker-flag=--null-renderer=" + step};
}

std::vector<std::string> with_short_lease(std::vector<std::string> flags) {
  flags.insert(flags.end(), {"--lease", "3"});
  return flags;
}

std::vector<std::string> model_pool() {
  return {"--model", WAGGLE_TEST_MODEL, "--worker-flag=--precision=fp32", "--worker-flag=--threads=1"};
}

}  // namespace waggle::e2e

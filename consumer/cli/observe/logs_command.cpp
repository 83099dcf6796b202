// `waggle logs`: a job's event log, line by line.
#include <chrono>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/follower.h"
#include "consumer/cli/hive.h"
#include "consumer/cli/observe/job_story.h"
#include "consumer/program/stop_signal.h"
#include "schemas/codec/json.h"

namespace waggle::cli {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 60s;  ///< how long Redis may be away from one who follows

struct LogsFlags {
  HiveFlags hive;
  std::string job;
  bool follow = false, all = false;
};

void print(const Terminal& terminal, const LogsFlags& flags, const Event& event) {
  if (!flags.all && is_progress(event.body)) return;
  const std::string line = flags.hive.json ? codec::to_json(event) : log_line(event, terminal.colour_out);
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

ExitCode follow(const Terminal& terminal, const LogsFlags& flags, Hive& hive, const JobId& job,
                const program::StopSignal& stop) {
  Follower follower(hive, job);
  auto answered_at = Clock::now();
  bool ended = false;
  for (;;) {
    auto next = follower.next(ended ? 0ms : 100ms);
    if (!next) {
      const bool may_come_back = next.error().code == ErrorCode::unavailable;
      if (!may_come_back || Clock::now() - answered_at > kPatience) return fail(terminal, next.error());
      if (stop.wait(200ms)) return ExitCode::interrupted;
      continue;
    }
    answered_at = Clock::now();
    if (const auto& event = *next) {
      print(terminal, flags, *event);
      // A job that was queued again by hand goes on after its first end.
      ended = is_terminal(event->body);
      continue;
    }
    if (ended) return ExitCode::ok;
    if (stop.count() > 0) return ExitCode::interrupted;
  }
}

ExitCode logs(const Terminal& terminal, const LogsFlags& flags) {
  const program::StopSignal stop;
  auto job = parse_job_id(flags.job);
  if (!job) return fail(terminal, job.error());
  auto hive = Hive::open(flags.hive);
  if (!hive) return fail(terminal, hive.error());
  if (flags.follow) return follow(terminal, flags, **hive, *job, stop);
  auto events = read_log(**hive, *job);
  if (!events) return fail(terminal, events.error());
  for (const Event& event : *events) print(terminal, flags, event);
  return ExitCode::ok;
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<LogsFlags>();
  app.add_option("job", flags->job, "Job id")->required();
  app.add_flag("-f,--follow", flags->follow, "Go on until the job ends; Ctrl-C leaves the job alone");
  app.add_flag("--all", flags->all, "Each step and preview too");
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return logs(terminal, *flags); };
}

}  // namespace

const Command kLogsCommand{"logs", "Print a job's events: time, attempt, what happened",
                           "  waggle logs 01890a5d-ac96-774b-bcce-b302099a8057\n"
                           "  waggle logs JOB --follow --all\n",
                           attach};

}  // namespace waggle::cli

// `waggle jobs`.
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"
#include "consumer/cli/report.h"

namespace waggle::cli {

namespace {

struct JobsFlags {
  HiveFlags hive;
  std::string state, cursor;
  int limit = 20;
};

void print(const ListReply& reply, bool colour) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  std::vector<std::vector<std::string>> rows{{"JOB", "STATE", "PROGRESS", "MODEL", "AGE", "WORKER"}};
  for (const JobStatus& job : reply.jobs) {
    rows.push_back({job.id.value, state_text(job.state, colour), progress_text(job), printable(job.model),
                    age_text(static_cast<double>(now_ms - job.submitted_at_ms) / 1000),
                    job.worker ? job.worker->value : "-"});
  }
  std::fputs(table(rows).c_str(), stdout);
  if (!reply.next_cursor.empty()) {
    std::printf("more: --cursor %s\n", printable(reply.next_cursor).c_str());
  }
}

ExitCode run(const Terminal& terminal, const JobsFlags& flags) {
  ListRequest request;
  request.limit = flags.limit;
  request.cursor = flags.cursor;
  if (!flags.state.empty()) {
    request.state = job_state_from_name(flags.state);
    if (!request.state) {
      return fail(terminal,
                  {ErrorCode::invalid_request,
                   "--state must be queued, running, completed, failed, cancelled, expired or dead, is \"" +
                       flags.state + "\""});
    }
  }
  return query(terminal, flags.hive, request, [&](const ReplyBody& body) {
    if (const auto* reply = std::get_if<ListReply>(&body)) print(*reply, terminal.colour_out);
  });
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<JobsFlags>();
  app.add_option("--state", flags->state, "Only jobs in this state")->type_name("STATE");
  app.add_option("--limit", flags->limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--cursor", flags->cursor, "Go on where the last page ended");
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return run(terminal, *flags); };
}

}  // namespace

const Command kJobsCommand{"jobs", "List jobs, the newest first",
                           "  waggle jobs --state dead\n  waggle jobs --limit 1000 --json\n", attach};

}  // namespace waggle::cli

// `waggle jobs`.
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"
#include "consumer/cli/report.h"
#include "schemas/codec/json.h"

namespace waggle::cli {

namespace {

constexpr int kPage = 1000;  ///< jobs of one answer when only some of them are wanted

struct JobsFlags {
  HiveFlags hive;
  std::string state, model, tenant, cursor;
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

/// The queen filters by state alone: pages are asked for until enough jobs have been found.
ExitCode filtered(const Terminal& terminal, const JobsFlags& flags, ListRequest request) {
  auto hive = Hive::open(flags.hive);
  if (!hive) return fail(terminal, hive.error());
  request.limit = kPage;
  ListReply found;
  RequestId answered;
  do {
    auto reply = (*hive)->ask(request);
    if (!reply) return fail(terminal, reply.error());
    auto* page = std::get_if<ListReply>(&reply->body);
    if (page == nullptr)
      return fail(terminal, {ErrorCode::unknown_type, "the queen answered with something else"});
    answered = reply->id;
    for (JobStatus& job : page->jobs) {
      const bool wanted = (flags.model.empty() || job.model == flags.model) &&
                          (flags.tenant.empty() || job.tenant == flags.tenant);
      if (wanted && found.jobs.size() < static_cast<std::size_t>(flags.limit))
        found.jobs.push_back(std::move(job));
    }
    request.cursor = page->next_cursor;
  } while (!request.cursor.empty() && found.jobs.size() < static_cast<std::size_t>(flags.limit));
  if (flags.hive.json) {
    std::printf("%s\n", codec::to_json(Reply{answered, std::move(found)}).c_str());
  } else {
    print(found, terminal.colour_out);
  }
  return ExitCode::ok;
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
  if (!flags.model.empty() || !flags.tenant.empty()) return filtered(terminal, flags, std::move(request));
  return query(terminal, flags.hive, request, [&](const ReplyBody& body) {
    if (const auto* reply = std::get_if<ListReply>(&body)) print(*reply, terminal.colour_out);
  });
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<JobsFlags>();
  app.add_option("--state", flags->state, "Only jobs in this state")->type_name("STATE");
  app.add_option("--model", flags->model, "Only jobs of this model, by the name that they gave")
      ->type_name("MODEL");
  app.add_option("--tenant", flags->tenant, "Only jobs of this tenant");
  app.add_option("--limit", flags->limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--cursor", flags->cursor, "Go on where the last page ended");
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return run(terminal, *flags); };
}

}  // namespace

const Command kJobsCommand{"jobs", "List jobs, the newest first",
                           "  waggle jobs --state dead\n  waggle jobs --model sd15 --tenant anna\n  waggle "
                           "jobs --limit 1000 --json\n",
                           attach};

}  // namespace waggle::cli

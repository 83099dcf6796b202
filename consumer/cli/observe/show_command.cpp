// `waggle show`: everything about one job.
#include <chrono>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"
#include "consumer/cli/inspect/recipe_report.h"
#include "consumer/cli/observe/job_story.h"
#include "consumer/cli/report.h"
#include "schemas/codec/json.h"

namespace waggle::cli {

namespace {

struct ShowFlags {
  HiveFlags hive;
  std::string job;
};

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string seconds_text(std::int64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", static_cast<double>(ms) / 1000);
  return text;
}

std::string attempts_text(const std::vector<AttemptStory>& attempts) {
  std::vector<std::vector<std::string>> rows{{"ATTEMPT", "WORKER", "STARTED", "TOOK", "STEPS", "END"}};
  for (const AttemptStory& attempt : attempts) {
    rows.push_back(
        {std::to_string(attempt.number), attempt.worker, time_text(attempt.started_at_ms),
         attempt.ended_at_ms ? seconds_text(*attempt.ended_at_ms - attempt.started_at_ms) : "-",
         attempt.total > 0 ? std::to_string(attempt.step) + "/" + std::to_string(attempt.total) : "-",
         attempt.end.empty() ? "running" : attempt.end});
  }
  return table(rows);
}

void print_heading(const Terminal& terminal, const char* text) {
  std::printf("\n%s\n", paint(terminal.colour_out, Colour::bold, text).c_str());
}

void print(const Terminal& terminal, const JobStatus& status, const JobRequest& request,
           const std::vector<Event>& events) {
  std::fputs(status_text(status, now_ms(), terminal.colour_out).c_str(), stdout);
  if (status.started_at_ms) {
    std::printf("waited     %s before its %s attempt\n",
                seconds_text(*status.started_at_ms - status.submitted_at_ms).c_str(),
                status.attempt > 1 ? "last" : "first");
  }
  print_heading(terminal, "Request");
  std::fputs(request_text(request, terminal).c_str(), stdout);
  if (const auto attempts = attempts_of(events); !attempts.empty()) {
    print_heading(terminal, "Attempts");
    std::fputs(attempts_text(attempts).c_str(), stdout);
  }
  print_heading(terminal, "Events");
  for (const Event& event : events) {
    if (!is_progress(event.body)) std::printf("%s\n", log_line(event, terminal.colour_out).c_str());
  }
}

void print_json(const JobStatus& status, const JobRequest& request, const std::vector<Event>& events) {
  std::string all;
  for (const Event& event : events) {
    if (is_progress(event.body)) continue;
    if (!all.empty()) all += ',';
    all += codec::to_json(event);
  }
  std::printf("{\"status\":%s,\"request\":%s,\"events\":[%s]}\n", codec::to_json(status).c_str(),
              codec::to_json(request).c_str(), all.c_str());
}

/// The queen knows the position and the time left; the ledger alone still knows the rest.
Result<JobStatus> status_of(Hive& hive, const JobId& job) {
  auto reply = hive.ask(StatusRequest{job});
  if (reply) {
    if (auto* status = std::get_if<StatusReply>(&reply->body)) return std::move(status->status);
  } else if (reply.error().code != ErrorCode::unavailable) {
    return reply.error();
  }
  return hive.ledger().status(job);
}

ExitCode show(const Terminal& terminal, const ShowFlags& flags) {
  auto job = parse_job_id(flags.job);
  if (!job) return fail(terminal, job.error());
  auto hive = Hive::open(flags.hive);
  if (!hive) return fail(terminal, hive.error());
  auto status = status_of(**hive, *job);
  if (!status) return fail(terminal, status.error());
  auto request = (*hive)->ledger().request(*job);
  if (!request) return fail(terminal, request.error());
  auto events = read_log(**hive, *job);
  if (!events) return fail(terminal, events.error());
  if (flags.hive.json) {
    print_json(*status, *request, *events);
  } else {
    print(terminal, *status, *request, *events);
  }
  return ExitCode::ok;
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<ShowFlags>();
  app.add_option("job", flags->job, "Job id")->required();
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return show(terminal, *flags); };
}

}  // namespace

const Command kShowCommand{"show", "Show everything about a job: its request, attempts, events and images",
                           "  waggle show 01890a5d-ac96-774b-bcce-b302099a8057\n"
                           "  waggle show JOB --json | jq .request\n",
                           attach};

}  // namespace waggle::cli

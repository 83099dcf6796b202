// `waggle status`.
#include <chrono>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"
#include "consumer/cli/report.h"

namespace waggle::cli {

namespace {

struct StatusFlags {
  HiveFlags hive;
  std::string job;
};

ExitCode run(const Terminal& terminal, const StatusFlags& flags) {
  auto job = parse_job_id(flags.job);
  if (!job) return fail(terminal, job.error());
  return query(terminal, flags.hive, StatusRequest{*job}, [&](const ReplyBody& body) {
    const auto* reply = std::get_if<StatusReply>(&body);
    if (reply == nullptr) return;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    std::fputs(status_text(reply->status, now_ms, terminal.colour_out).c_str(), stdout);
  });
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<StatusFlags>();
  app.add_option("job", flags->job, "Job id")->required();
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return run(terminal, *flags); };
}

}  // namespace

const Command kStatusCommand{"status", "Show a job: state, progress, images, errors of every attempt",
                             "  waggle status 01890a5d-ac96-774b-bcce-b302099a8057\n"
                             "  waggle status JOB --json | jq .status.state\n",
                             attach};

}  // namespace waggle::cli

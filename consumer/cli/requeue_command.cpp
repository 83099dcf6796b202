// `waggle requeue`.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"

namespace waggle::cli {

namespace {

struct RequeueFlags {
  HiveFlags hive;
  std::string job;
};

ExitCode run(const Terminal& terminal, const RequeueFlags& flags) {
  auto job = parse_job_id(flags.job);
  if (!job) return fail(terminal, job.error());
  return query(terminal, flags.hive, RequeueRequest{*job},
               [](const ReplyBody&) { std::puts("queued again"); });
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<RequeueFlags>();
  app.add_option("job", flags->job, "Job id")->required();
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return run(terminal, *flags); };
}

}  // namespace

const Command kRequeueCommand{"requeue",
                              "Queue a dead, failed or cancelled job again, its attempts counted anew",
                              "  waggle requeue 01890a5d-ac96-774b-bcce-b302099a8057\n", attach};

}  // namespace waggle::cli

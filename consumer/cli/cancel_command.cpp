// `waggle cancel`.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"

namespace waggle::cli {

namespace {

struct CancelFlags {
  HiveFlags hive;
  std::string job;
};

ExitCode run(const Terminal& terminal, const CancelFlags& flags) {
  auto job = parse_job_id(flags.job);
  if (!job) return fail(terminal, job.error());
  return query(terminal, flags.hive, CancelRequest{*job}, [](const ReplyBody& body) {
    const auto* reply = std::get_if<CancelAccepted>(&body);
    if (reply == nullptr) return;
    std::puts(reply->state == JobState::running ? "its worker stops within one step" : "cancelled");
  });
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<CancelFlags>();
  app.add_option("job", flags->job, "Job id")->required();
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return run(terminal, *flags); };
}

}  // namespace

const Command kCancelCommand{"cancel", "Cancel a job; a running one stops within one denoising step",
                             "  waggle cancel 01890a5d-ac96-774b-bcce-b302099a8057\n", attach};

}  // namespace waggle::cli

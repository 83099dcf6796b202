// `waggle watch`.
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/watching.h"

namespace waggle::cli {

namespace {

struct WatchFlags {
  HiveFlags hive;
  std::string job;
};

ExitCode run(const Terminal& terminal, const WatchFlags& flags) {
  const program::StopSignal stop;
  auto job = parse_job_id(flags.job);
  if (!job) return fail(terminal, job.error());
  auto hive = Hive::open(flags.hive);
  if (!hive) return fail(terminal, hive.error());
  return watch(terminal, **hive, *job, Detail::all, flags.hive.json, stop);
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<WatchFlags>();
  app.add_option("job", flags->job, "Job id")->required();
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return run(terminal, *flags); };
}

}  // namespace

const Command kWatchCommand{"watch", "Follow a job's events to its end; Ctrl-C leaves the job alone",
                            "  waggle watch 01890a5d-ac96-774b-bcce-b302099a8057\n"
                            "  waggle watch JOB --json | jq -c 'select(.type == \"progress\") | .percent'\n",
                            attach};

}  // namespace waggle::cli

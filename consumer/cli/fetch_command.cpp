// `waggle fetch`: a job's pictures from the ledger to files.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include <CLI/CLI.hpp>

#include "consumer/cli/output_file.h"
#include "consumer/cli/watching.h"

namespace waggle::cli {

namespace {

struct FetchFlags {
  HiveFlags hive;
  std::string job;
  std::filesystem::path folder = ".";
  bool wait = false;
};

ExitCode fetch(const Terminal& terminal, const FetchFlags& flags) {
  const program::StopSignal stop;
  auto job = parse_job_id(flags.job);
  if (!job) return fail(terminal, job.error());
  auto hive = Hive::open(flags.hive);
  if (!hive) return fail(terminal, hive.error());
  if (flags.wait) {
    // Standard output is kept for the paths; the end of the job shows in the code and in the status below.

    const ExitCode code = watch(terminal, **hive, *job, Detail::none, flags.hive.json, stop);
    if (code == ExitCode::interrupted || code == ExitCode::unavailable || code == ExitCode::usage)
      return code;
  }
  auto status = (*hive)->ledger().status(*job);
  if (!status) return fail(terminal, status.error());
  std::error_code error;
  std::filesystem::create_directories(flags.folder, error);
  if (error) return fail(terminal, {ErrorCode::io_error, flags.folder.string() + ": " + error.message()});
  for (const ImageInfo& image : status->images) {
    auto bytes = (*hive)->ledger().image(*job, image.index);
    if (!bytes) return fail(terminal, bytes.error());
    const auto base = flags.folder / (job->value + std::string(extension(image.format)));
    const auto file = numbered(base, image.index, static_cast<int>(status->images.size()));
    if (auto written = write_atomically(file, *bytes); !written) return fail(terminal, written.error());
    std::printf("%s\n", file.c_str());
  }
  if (status->state == JobState::completed) return ExitCode::ok;
  std::fprintf(stderr, "waggle: the job is %s, %zu of its images are there%s\n",
               std::string(name(status->state)).c_str(), status->images.size(),
               is_terminal(status->state) ? "" : "; --wait waits for the rest");
  return is_terminal(status->state) ? exit_code(status->state) : ExitCode::job_failed;
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<FetchFlags>();
  app.add_option("job", flags->job, "Job id")->required();
  app.add_option("-o,--out", flags->folder, "Folder; made when absent")
      ->capture_default_str()
      ->type_name("DIR");
  app.add_flag("--wait", flags->wait, "Wait for the end of the job first");
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return fetch(terminal, *flags); };
}

}  // namespace

const Command kFetchCommand{"fetch", "Write a job's images to files and print their paths",
                            "  waggle fetch 01890a5d-ac96-774b-bcce-b302099a8057 -o pictures\n"
                            "  waggle fetch --wait JOB -o pictures\n",
                            attach};

}  // namespace waggle::cli

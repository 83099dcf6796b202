// The mapping from errors and job states to exit codes, and the advice that goes with an error.
#include "consumer/cli/exit_code.h"

#include <array>

namespace waggle::cli {

std::span<const ExitCodeMeaning> exit_code_table() {
  static constexpr std::array kTable{
      ExitCodeMeaning{ExitCode::ok, "done"},
      ExitCodeMeaning{
          ExitCode::job_failed,
          "the job, or one of the jobs, failed, expired or is dead, or a file could not be written"},
      ExitCodeMeaning{ExitCode::usage,
                      "the command line or the request is wrong, or what it names is not known"},
      ExitCodeMeaning{ExitCode::unavailable,
                      "the queen, Redis or a child process does not answer, or the queue is full"},
      ExitCodeMeaning{ExitCode::cancelled, "somebody cancelled the job"},
      ExitCodeMeaning{ExitCode::interrupted, "interrupted by Ctrl-C or SIGTERM"},
  };
  return kTable;
}

ExitCode exit_code(ErrorCode error) noexcept {
  switch (error) {
    case ErrorCode::invalid_request:
    case ErrorCode::payload_too_large:
    case ErrorCode::unsupported_media:
    case ErrorCode::unknown_job:
    case ErrorCode::job_expired:
    case ErrorCode::job_already_ended:
    case ErrorCode::idempotency_conflict:
    case ErrorCode::unknown_model:
    case ErrorCode::unknown_worker:
    case ErrorCode::unknown_sampler:
    case ErrorCode::unknown_adapter:
    case ErrorCode::model_mismatch:
    case ErrorCode::unauthorized:
    case ErrorCode::not_found:
      return ExitCode::usage;
    case ErrorCode::queue_full:
    case ErrorCode::rate_limited:
    case ErrorCode::unavailable:
    case ErrorCode::unsupported_version:
    case ErrorCode::unknown_type:
    case ErrorCode::malformed_message:
      return ExitCode::unavailable;
    case ErrorCode::cancelled:
      return ExitCode::cancelled;
    case ErrorCode::model_load_failed:
    case ErrorCode::out_of_memory:
    case ErrorCode::device_error:
    case ErrorCode::stalled:
    case ErrorCode::lease_lost:
    case ErrorCode::worker_lost:
    case ErrorCode::deadline_exceeded:
    case ErrorCode::io_error:
    case ErrorCode::internal:
      return ExitCode::job_failed;
  }
  return ExitCode::job_failed;
}

ExitCode exit_code(JobState state) noexcept {
  switch (state) {
    case JobState::queued:
    case JobState::running:
    case JobState::completed:
      return ExitCode::ok;
    case JobState::failed:
    case JobState::expired:
    case JobState::dead:
      return ExitCode::job_failed;
    case JobState::cancelled:
      return ExitCode::cancelled;
  }
  return ExitCode::job_failed;
}

const char* advice(ErrorCode error) noexcept {
  switch (error) {
    case ErrorCode::unknown_job:
      return "`waggle jobs` lists the jobs that the queue knows";
    case ErrorCode::unknown_model:
      return "`waggle models` lists what the pool serves";
    case ErrorCode::unknown_worker:
      return "`waggle workers` lists who is in the pool";
    case ErrorCode::job_already_ended:
      return "`waggle status JOB` shows how it ended";
    case ErrorCode::queue_full:
    case ErrorCode::rate_limited:
      return "try again later";
    case ErrorCode::out_of_memory:
      return "use a smaller --size or fewer images";
    case ErrorCode::job_expired:
      return "the queen's --keep-jobs says how long ended jobs are kept";
    case ErrorCode::idempotency_conflict:
      return "another request has this --idempotency-key: choose a new one";
    case ErrorCode::unsupported_media:
      return "PNG, JPEG and WebP are read";
    case ErrorCode::unauthorized:
      return "`waggle keys --help` tells how a client is let in";
    case ErrorCode::device_error:
      return "--device cpu works everywhere";
    default:
      return "";
  }
}

}  // namespace waggle::cli

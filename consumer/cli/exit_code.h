// What `waggle` tells the shell: one table for all commands, printed by `waggle --help`. Never renumber.
#pragma once

#include <span>
#include <string_view>

#include "schemas/error.h"
#include "schemas/job.h"

namespace waggle::cli {

enum class ExitCode : int {
  ok = 0,
  job_failed = 1,  ///< the job (or one of the jobs) failed, expired or is dead; a file could not be written
  usage = 2,  ///< the command line or the request is wrong: flags, ranges, an unknown job, model or worker
  unavailable = 3,    ///< the queen, Redis or a child process does not answer, or the queue is full
  cancelled = 4,      ///< somebody cancelled the job
  interrupted = 130,  ///< Ctrl-C or SIGTERM, as shells count it
};

struct ExitCodeMeaning {
  ExitCode code;
  std::string_view meaning;  ///< the end of a sentence that begins with the code
};
/// Every code, ascending.
std::span<const ExitCodeMeaning> exit_code_table();

/// The code of an error that ended a command.
ExitCode exit_code(ErrorCode error) noexcept;
/// The code of a job's end state; a job that has not ended counts as ok.
ExitCode exit_code(JobState state) noexcept;

/// What a user can do about an error, one sentence without a full stop; empty when there is nothing to add.
const char* advice(ErrorCode error) noexcept;

}  // namespace waggle::cli

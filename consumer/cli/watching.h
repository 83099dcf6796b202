// Watching one job on a terminal, in a log or as JSON lines; shared by `watch` and `submit --watch|--wait`.
#pragma once

#include "consumer/cli/command.h"
#include "consumer/cli/hive.h"
#include "consumer/program/stop_signal.h"

namespace waggle::cli {

enum class Detail {
  all,       ///< every event; on a terminal progress is a bar
  end_only,  ///< nothing before the end
  none,      ///< no output at all, the code alone
};

/// Follows the job to its end, which decides the code. Ctrl-C stops the watching, not the job. Survives a
/// restart of Redis or the queen: the record is read again from where it stood.
ExitCode watch(const Terminal& terminal, Hive& hive, const JobId& job, Detail detail, bool json,
               const program::StopSignal& stop);

}  // namespace waggle::cli

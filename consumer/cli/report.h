// Jobs, workers and events as text for people. Scripts use --json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/cli/terminal.h"
#include "schemas/event.h"
#include "schemas/job.h"
#include "schemas/worker_info.h"

namespace waggle::cli {

/// Columns padded to their widest cell, two spaces between, the last one as it is. The first row is the
/// heading.
std::string table(const std::vector<std::vector<std::string>>& rows);

/// "12 s", "3 min", "2 h", "5 d": the larger unit alone.
std::string age_text(double seconds);
/// "512 B", "3.4 MB", "2.1 GB"
std::string bytes_text(std::int64_t bytes);

/// The state in its colour.
std::string state_text(JobState state, bool colour);
/// Another text in the colour of a state.
std::string state_text(JobState state, std::string_view text, bool colour);
/// "running" and "4/20", "queued" and "3rd", ...: what a list shows beside the state.
std::string progress_text(const JobStatus& status);

/// Several lines, "key: value".
std::string status_text(const JobStatus& status, std::int64_t now_ms, bool colour);
/// One line: "completed: 2 images, seed 42, 3.1 s".
std::string event_text(const EventBody& event, bool colour);

}  // namespace waggle::cli

// The lines of a manifest as text. Never rename a member: old runs are resumed by new programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "consumer/cli/batch/manifest.h"

namespace waggle::cli::batch {

std::string header_line(const RunHeader& header);
std::string job_line(const PlannedJob& job);
std::string image_line(const ImageRecord& image);
std::string completed_line(std::size_t index, std::string_view where, double render_s,
                           std::string_view resolved);
std::string failed_line(std::size_t index, std::string_view where, const Error& error);
std::string generation_line(std::size_t index, int generation);

Result<RunHeader> read_header(std::string_view line);
Result<PlannedJob> read_job(std::string_view line);
/// Enters what a later line says. Errors: malformed_message.
Status apply_line(std::string_view line, std::vector<JobRecord>& records);

}  // namespace waggle::cli::batch

// `--like PICTURE`: a request that takes from a picture whatever its own flags leave open.
#pragma once

#include <filesystem>
#include <string>

#include "consumer/cli/job_flags.h"
#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::cli {

/// The job of a picture. Fills in the prompt where there is none, and checks that the flags name the pictures
/// that it started from. Errors: io_error, not_found, unsupported_media, invalid_request.
Result<JobRequest> read_like(const std::filesystem::path& picture, JobFlags& flags);

/// What no flag said in `request` becomes as in `like`. Errors: invalid_request, in terms of flags.
Status fill_in(const JobRequest& like, const JobFlags& flags, JobRequest& request);

/// Whether every picture in `request` is the one that `like` was made from, where `like` knows; else the flag
/// that names another, such as "--init".
std::string other_picture(const JobRequest& like, const JobRequest& request);

/// The job as a picture's text carries it: names of other pictures, not their bytes.
std::string described(JobRequest request);

}  // namespace waggle::cli

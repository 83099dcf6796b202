// Contact sheets as files: which pictures go onto them, and how many files they take. The drawing itself is
// contact_sheet.h.
#pragma once

#include <filesystem>
#include <vector>

#include "consumer/cli/sheet/contact_sheet.h"
#include "schemas/result.h"

namespace waggle::cli {

/// The files as given; in place of a folder the pictures directly in it, by name. Errors: io_error (no such
/// file), invalid_request (nothing to show).
Result<std::vector<std::filesystem::path>> picture_files(const std::vector<std::filesystem::path>& named);

/// Whether write_sheets() made this file. Only a PNG can tell.
bool is_sheet(const std::filesystem::path& file);

/// Writes `out`, or out-1, out-2, ... when one sheet cannot hold all; their paths come back. Captions are the
/// pictures' own prompts, else their file names. Errors: io_error, unsupported_media and payload_too_large
/// naming the picture.
Result<std::vector<std::filesystem::path>> write_sheets(const std::filesystem::path& out,
                                                        const std::vector<std::filesystem::path>& pictures,
                                                        const SheetLayout& layout);

}  // namespace waggle::cli

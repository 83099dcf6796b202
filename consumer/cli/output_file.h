// Where pictures go on disk: names for several images, the format by extension, and writing that leaves
// either the whole file or none.
#pragma once

#include <filesystem>
#include <string_view>

#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::cli {

/// By extension, in any case: png, jpg, jpeg, webp. Errors: invalid_request naming -o.
Result<OutputFormat> format_of(const std::filesystem::path& file);

/// ".png", ".jpg", ".webp"
std::string_view extension(OutputFormat format) noexcept;

/// The file of image `index` (0-based) of `count`: out.png alone, else out-1.png, out-2.png, ...
std::filesystem::path numbered(const std::filesystem::path& file, int index, int count);

/// Whether a file can be made there, asked before minutes of work. Errors: io_error naming the folder.
Status check_writable(const std::filesystem::path& file);

/// Writes `FILE.WRITER.part`, syncs, renames. Killed in between it leaves that part, which the same writer's
/// next try at the file takes over; writers at work on one file at a time must differ. Without a name the
/// writer is this process. Errors: io_error; then nothing is left.
Status write_atomically(const std::filesystem::path& file, std::string_view bytes,
                        std::string_view writer = {});

/// The whole file, refused when above `max_bytes`. Errors: io_error, payload_too_large.
Result<std::string> read_file(const std::filesystem::path& file, std::size_t max_bytes);

}  // namespace waggle::cli

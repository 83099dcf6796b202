// The pictures that jobs start from, by the digest of their bytes: read once to be checked when a run is
// planned, and again when their job is submitted, since thousands would not fit in memory.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "schemas/ids.h"
#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::cli::batch {

/// Where the pictures of a job are; a value is a path, or the text of a `data:` URL.
using PictureSources = std::map<BlobId, std::string>;

class InputPictures {
 public:
  /// Relative paths begin at `folder`.
  explicit InputPictures(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The digest of a picture, which is entered in `sources`. `text` is a path, a `data:` URL, or the bare
  /// base64 of a PNG, JPEG or WebP. Errors, without the path of the field: io_error, payload_too_large,
  /// unsupported_media.
  Result<BlobId> find(std::string_view text, PictureSources& sources);

 private:
  std::filesystem::path folder_;
  std::map<std::string, Result<BlobId>, std::less<>> known_;
};

/// The request with bytes in place of references. Errors: io_error, also when a picture has changed since.
Result<JobRequest> with_pictures(JobRequest request, const PictureSources& sources);

}  // namespace waggle::cli::batch

// Files, data URLs and their digests.
#include "consumer/cli/batch/input_pictures.h"

#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "consumer/cli/inspect/content_id.h"
#include "consumer/cli/output_file.h"
#include "pipeline/image/picture.h"
#include "schemas/codec/base64.h"
#include "schemas/limits.h"
#include "schemas/pictures.h"

namespace waggle::cli::batch {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestPath = 4096;

/// Base64 of what a PNG, a JPEG and a WebP begin with.
bool looks_like_base64(std::string_view text) {
  return text.size() > 64 &&
         (text.starts_with("iVBORw0KGgo") || text.starts_with("/9j/") || text.starts_with("UklGR"));
}

Result<std::string> read_source(const std::string& source) {
  if (!source.starts_with("data:")) return read_file(source, limits::kMaxPictureBytes);
  const std::size_t comma = source.find(',');
  auto bytes = comma == std::string::npos ? std::nullopt
                                          : codec::base64_decode(std::string_view(source).substr(comma + 1));
  if (!bytes) return Error{ErrorCode::invalid_request, "is no base64 of a picture"};
  return std::move(*bytes);
}

}  // namespace

Result<BlobId> InputPictures::find(std::string_view text, PictureSources& sources) {
  std::string source(text);
  if (looks_like_base64(text)) source = "data:;base64," + source;
  if (!source.starts_with("data:")) {
    if (source.size() > kLongestPath) return Error{ErrorCode::invalid_request, "is no path of a picture"};
    // Absolute, so that a run can be resumed from another folder.
    std::error_code error;
    fs::path file = fs::absolute(folder_ / source, error).lexically_normal();
    source = file.string();
  }
  auto known = known_.find(source);
  if (known == known_.end()) {
    const auto look = [&source]() -> Result<BlobId> {
      auto bytes = read_source(source);
      if (!bytes) return bytes.error();
      if (auto format = pipeline::sniff(*bytes); !format) return format.error();
      return content_id(*bytes);
    };
    known = known_.emplace(source, look()).first;
  }
  if (known->second) sources[*known->second] = source;
  return known->second;
}

Result<JobRequest> with_pictures(JobRequest request, const PictureSources& sources) {
  for (auto& [path, picture] : pictures_of(request)) {
    if (!picture->is_reference()) continue;
    const BlobId id = std::get<BlobId>(picture->source);
    const auto source = sources.find(id);
    if (source == sources.end())
      return Error{ErrorCode::io_error, path + ": nobody says where its picture is"};
    auto bytes = read_source(source->second);
    if (!bytes) return bytes.error();
    if (content_id(*bytes) != id)
      return Error{ErrorCode::io_error, source->second + ": has changed since the run began"};
    picture->source = std::move(bytes).value();
  }
  return request;
}

}  // namespace waggle::cli::batch

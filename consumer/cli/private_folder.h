// A folder that nobody else can enter and that goes when its owner does; and where the installed files are.
#pragma once

#include <filesystem>
#include <string_view>

#include "schemas/result.h"

namespace waggle::cli {

class PrivateFolder {
 public:
  /// Under TMPDIR or /tmp, mode 700. Throws std::system_error.
  explicit PrivateFolder(std::string_view prefix);
  /// Removes it with all it holds.
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A program of this project: beside the running one. Errors: unavailable, naming where it was looked for.
Result<std::filesystem::path> sibling_program(std::string_view name);

/// The shipped redis.conf: beside an installed `waggle` (../share/waggle), else in the source tree that it
/// was built from. Errors: unavailable.
Result<std::filesystem::path> shipped_redis_conf();

/// The demo model, found in the same way: what is served and rendered with when nobody names a model. Errors:
/// unavailable.
Result<std::filesystem::path> shipped_model();

}  // namespace waggle::cli

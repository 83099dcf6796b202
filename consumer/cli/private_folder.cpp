// Temporary folder and the search for files relative to the executable.
#include "consumer/cli/private_folder.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include <unistd.h>

namespace waggle::cli {

namespace fs = std::filesystem;

namespace {

fs::path folder_of_this_program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::current_path() : self.parent_path();
}

/// Beside the installed programs, else in the source tree.
Result<fs::path> shipped(const std::string& what, const std::string& name, const fs::path& source,
                         const std::string& flag) {
  const fs::path installed = folder_of_this_program().parent_path() / "share/waggle" / name;
  std::error_code error;
  for (const fs::path& place : {installed, source}) {
    if (fs::is_regular_file(place, error)) return place;
  }
  return Error{ErrorCode::unavailable, what + " is neither at " + installed.string() + " nor at " +
                                           source.string() + "; name another with " + flag};
}

}  // namespace

PrivateFolder::PrivateFolder(std::string_view prefix) {
  const char* base = std::getenv("TMPDIR");
  std::string name =
      fs::path(base != nullptr && *base != '\0' ? base : "/tmp") / (std::string(prefix) + "XXXXXX");
  if (mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "cannot make a folder " + name);
  }
  path_ = name;
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Result<fs::path> sibling_program(std::string_view name) {
  const fs::path folder = folder_of_this_program();
  const fs::path program = folder / name;
  if (access(program.c_str(), X_OK) == 0) return program;
  return Error{ErrorCode::unavailable,
               std::string(name) + " is not in " + folder.string() + "; install or build the whole project"};
}

Result<fs::path> shipped_redis_conf() {
  return shipped("redis.conf", "redis.conf", WAGGLE_SOURCE_REDIS_CONF, "--redis-conf");
}

Result<fs::path> shipped_model() {
  // A folder without this file is half an installation.
  auto index = shipped("the demo model", "models/waggle-shapes/model_index.json",
                       WAGGLE_SOURCE_MODEL "/model_index.json", "--model");
  if (!index) return index.error();
  return index->parent_path();
}

}  // namespace waggle::cli

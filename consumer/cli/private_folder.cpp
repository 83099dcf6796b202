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
  const fs::path installed = folder_of_this_program().parent_path() / "share/waggle/redis.conf";
  const fs::path source = WAGGLE_SOURCE_REDIS_CONF;
  std::error_code error;
  for (const fs::path& place : {installed, source}) {
    if (fs::is_regular_file(place, error)) return place;
  }
  return Error{ErrorCode::unavailable, "redis.conf is neither at " + installed.string() + " nor at " +
                                           source.string() + "; name it with --redis-conf"};
}

}  // namespace waggle::cli

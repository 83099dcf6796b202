// POSIX calls where the standard library cannot say what is needed: fsync before rename, exclusive creation.
#include "consumer/cli/output_file.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace waggle::cli {

namespace {

Error file_error(const std::filesystem::path& path, std::string_view what, int number) {
  return {ErrorCode::io_error,
          path.string() + ": " + std::string(what) + ": " + std::generic_category().message(number)};
}

/// Writes all bytes; false with errno set.
bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<OutputFormat> format_of(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".png") return OutputFormat::png;
  if (ending == ".jpg" || ending == ".jpeg") return OutputFormat::jpeg;
  if (ending == ".webp") return OutputFormat::webp;
  return Error{ErrorCode::invalid_request,
               "-o must end in .png, .jpg or .webp, is \"" + file.string() + "\""};
}

std::string_view extension(OutputFormat format) noexcept {
  switch (format) {
    case OutputFormat::png:
      return ".png";
    case OutputFormat::jpeg:
      return ".jpg";
    case OutputFormat::webp:
      return ".webp";
  }
  return ".png";
}

std::filesystem::path numbered(const std::filesystem::path& file, int index, int count) {
  if (count <= 1) return file;
  std::filesystem::path name = file.stem();
  name += '-';
  name += std::to_string(index + 1);
  name += file.extension();
  return file.parent_path() / name;
}

Status check_writable(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return Error{ErrorCode::io_error, folder.string() + ": no such folder; make it first (mkdir -p)"};
  }
  if (std::filesystem::is_directory(file, error)) {
    return Error{ErrorCode::io_error, file.string() + ": is a folder; -o names a file"};
  }
  if (::access(folder.c_str(), W_OK) != 0) return file_error(folder, "cannot write there", errno);
  return Done{};
}

Status write_atomically(const std::filesystem::path& file, std::string_view bytes, std::string_view writer) {
  std::filesystem::path part = file;
  part += '.';
  part += writer.empty() ? std::to_string(::getpid()) : std::string(writer);
  part += ".part";
  const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return file_error(part, "cannot create", errno);
  const bool written = write_all(descriptor, bytes) && ::fsync(descriptor) == 0;
  const int number = errno;
  const bool closed = ::close(descriptor) == 0;
  if (!written || !closed) {
    ::unlink(part.c_str());
    return file_error(file, "cannot write", written ? errno : number);
  }
  if (::rename(part.c_str(), file.c_str()) != 0) {
    const int rename_number = errno;
    ::unlink(part.c_str());
    return file_error(file, "cannot rename to it", rename_number);
  }
  return Done{};
}

Result<std::string> read_file(const std::filesystem::path& file, std::size_t max_bytes) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) return Error{ErrorCode::io_error, file.string() + ": " + error.message()};
  if (size > max_bytes) {
    return Error{ErrorCode::payload_too_large, file.string() + ": " + std::to_string(size) +
                                                   " bytes, at most " + std::to_string(max_bytes) +
                                                   " are allowed"};
  }
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    return Error{ErrorCode::io_error, file.string() + ": cannot be read"};
  }
  return bytes;
}

}  // namespace waggle::cli

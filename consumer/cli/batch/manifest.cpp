// Appending, locking and recovering of the file.
#include "consumer/cli/batch/manifest.h"

#include <cassert>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "consumer/cli/batch/manifest_lines.h"
#include "consumer/cli/output_file.h"

namespace waggle::cli::batch {

namespace {

namespace fs = std::filesystem;

Error file_error(const fs::path& file, const char* what) {
  return {ErrorCode::io_error, file.string() + ": " + what + ": " + std::generic_category().message(errno)};
}

/// A rename is on the disk when its folder is.
void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

bool Manifest::exists(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / kManifestName, error);
}

Manifest::~Manifest() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Manifest::Manifest(Manifest&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      waiting_(std::move(other.waiting_)),
      header_(std::move(other.header_)),
      jobs_(std::move(other.jobs_)),
      records_(std::move(other.records_)) {}

Status Manifest::lock(const fs::path& file) {
  file_ = file;
  descriptor_ = ::open(file.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
  if (descriptor_ < 0) return file_error(file, "cannot be opened");
  // Two runs in one folder would write each other's lines.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return Done{};
  return Error{ErrorCode::unavailable, file.string() + ": another `waggle batch` is at work there"};
}

Result<Manifest> Manifest::create(const fs::path& folder, RunHeader header, std::vector<PlannedJob> jobs) {
  Manifest manifest;
  manifest.header_ = std::move(header);
  manifest.jobs_ = std::move(jobs);
  std::string text = header_line(manifest.header_);
  for (const PlannedJob& job : manifest.jobs_) {
    text += job_line(job);
    manifest.records_.push_back({JobOutcome::open, 0, std::vector<bool>(job.files.size()), std::nullopt});
  }
  const fs::path file = folder / kManifestName;
  if (auto written = write_atomically(file, text); !written) return written.error();
  sync_folder(folder);
  if (auto locked = manifest.lock(file); !locked) return locked.error();
  return manifest;
}

Result<Manifest> Manifest::open(const fs::path& folder) {
  Manifest manifest;
  const fs::path file = folder / kManifestName;
  if (auto locked = manifest.lock(file); !locked) return locked.error();
  auto text = read_file(file, std::numeric_limits<std::size_t>::max());
  if (!text) return text.error();
  const std::size_t whole = text->rfind('\n') + 1;  // 0 without any
  int number = 0;
  for (std::size_t at = 0; at < whole; ++number) {
    const std::size_t end = text->find('\n', at);
    const auto line = std::string_view(*text).substr(at, end - at);
    at = end + 1;
    Status read = Done{};
    if (number == 0) {
      auto header = read_header(line);
      if (header)
        manifest.header_ = std::move(header).value();
      else
        read = header.error();
    } else if (manifest.jobs_.size() < manifest.header_.jobs) {
      auto job = read_job(line);
      if (job && job->index != manifest.jobs_.size())
        job = Error{ErrorCode::malformed_message, "is out of order"};
      if (job) {
        manifest.records_.push_back(
            {JobOutcome::open, 0, std::vector<bool>(job->files.size()), std::nullopt});
        manifest.jobs_.push_back(std::move(job).value());
      } else {
        read = job.error();
      }
    } else {
      read = apply_line(line, manifest.records_);
    }
    if (!read) {
      return Error{ErrorCode::malformed_message,
                   file.string() + ":" + std::to_string(number + 1) + ": " + read.error().message};
    }
  }
  if (number == 0 || manifest.jobs_.size() < manifest.header_.jobs)
    return Error{ErrorCode::malformed_message, file.string() + ": ends before its last job"};
  if (whole < text->size() && ::ftruncate(manifest.descriptor_, static_cast<off_t>(whole)) != 0)
    return file_error(file, "its torn last line cannot be cut off");
  return manifest;
}

void Manifest::add(std::string line) {
  // A line that this program cannot read again would end every later --resume.
  [[maybe_unused]] const Status applied =
      apply_line(std::string_view(line).substr(0, line.size() - 1), records_);
  assert(applied);
  waiting_ += line;
}

void Manifest::add_image(const ImageRecord& image) { add(image_line(image)); }

void Manifest::add_completed(std::size_t index, std::string_view where, double render_s,
                             std::string_view resolved) {
  add(completed_line(index, where, render_s, resolved));
}

void Manifest::add_failed(std::size_t index, std::string_view where, const Error& error) {
  add(failed_line(index, where, error));
}

void Manifest::add_generation(std::size_t index) {
  add(generation_line(index, records_[index].generation + 1));
}

Status Manifest::sync() {
  while (!waiting_.empty()) {
    const ssize_t written = ::write(descriptor_, waiting_.data(), waiting_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error(file_, "cannot be written");
    waiting_.erase(0, static_cast<std::size_t>(written));
    if (waiting_.empty() && ::fdatasync(descriptor_) != 0) return file_error(file_, "cannot be written");
  }
  return Done{};
}

void Manifest::discard() {
  waiting_.clear();
  ::unlink(file_.c_str());
}

}  // namespace waggle::cli::batch

// The record of a run beside its pictures, one JSON object a line: what the run is, every job with its seed
// and its files, then what came of each. Only ever appended to, so a crash costs at most the line in hand,
// which is cut off when the run goes on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/cli/batch/plan.h"
#include "schemas/error.h"
#include "schemas/job.h"
#include "schemas/result.h"

namespace waggle::cli::batch {

inline constexpr const char* kManifestName = "manifest.jsonl";

/// The first line.
struct RunHeader {
  std::string run;     ///< 16 hexadecimal digits, drawn once; part of every idempotency key
  std::string source;  ///< the file's name as given
  std::string digest;  ///< of the file's bytes and of every flag that shapes the jobs
  std::string version;
  std::size_t jobs = 0;
  std::optional<std::string> local;  ///< rendered in process: its settings, a JSON object
  bool operator==(const RunHeader&) const = default;
};

enum class JobOutcome { open, completed, failed };

/// What the manifest says of one job.
struct JobRecord {
  JobOutcome outcome = JobOutcome::open;
  int generation = 0;        ///< of its idempotency key: counts the times it was given up and begun anew
  std::vector<bool> images;  ///< written, by index
  std::optional<Error> error;
};

struct ImageRecord {
  std::size_t index = 0;  ///< of the job
  ImageInfo info;
  std::string file, digest;
};

class Manifest {
 public:
  /// Whether a run left its manifest in the folder.
  static bool exists(const std::filesystem::path& folder);

  /// Writes header and jobs, whole or not at all, and opens the manifest. Errors: io_error, unavailable when
  /// another process has it open.
  static Result<Manifest> create(const std::filesystem::path& folder, RunHeader header,
                                 std::vector<PlannedJob> jobs);
  /// Opens what a run left and cuts a torn last line off. Errors: io_error, malformed_message with the line,
  /// unavailable.
  static Result<Manifest> open(const std::filesystem::path& folder);

  ~Manifest();
  Manifest(Manifest&&) noexcept;

  [[nodiscard]] const RunHeader& header() const { return header_; }
  [[nodiscard]] const std::vector<PlannedJob>& jobs() const { return jobs_; }
  [[nodiscard]] const std::vector<JobRecord>& records() const { return records_; }

  // Each is one line, in memory until sync().
  void add_image(const ImageRecord& image);
  /// `resolved` is the picture's own account of its job, a JSON object, or empty.
  void add_completed(std::size_t index, std::string_view where, double render_s, std::string_view resolved);
  void add_failed(std::size_t index, std::string_view where, const Error& error);
  /// The next submission is another job to the queue.
  void add_generation(std::size_t index);
  /// All lines so far are on the disk. Errors: io_error.
  Status sync();

  /// Removes the file: nothing has come of the run.
  void discard();

 private:
  Manifest() = default;
  void add(std::string line);
  Status lock(const std::filesystem::path& file);

  std::filesystem::path file_;
  int descriptor_ = -1;
  std::string waiting_;
  RunHeader header_;
  std::vector<PlannedJob> jobs_;
  std::vector<JobRecord> records_;
};

}  // namespace waggle::cli::batch

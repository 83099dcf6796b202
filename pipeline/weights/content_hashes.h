// What is in a file, as a key: two names of the same bytes are one key, a file that was replaced has another.
//
// A file is read once: what it hashed to is remembered under its inode, size and times.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <mutex>
#include <string>

namespace waggle::pipeline {

/// Thread-safe; a file is read while other threads ask for other files' hashes.
class ContentHashes {
 public:
  /// `remembered_in`: a folder where hashes of large files outlive the process; empty: none.
  explicit ContentHashes(std::filesystem::path remembered_in = {}) : folder_(std::move(remembered_in)) {}

  /// BLAKE2b-256 as 64 hexadecimal digits. Throws LoadError when the file cannot be read.
  std::string of(const std::filesystem::path& file);
  [[nodiscard]] std::int64_t files_read() const;

 private:
  struct Identity {
    std::uint64_t device = 0, inode = 0;
    std::int64_t bytes = 0;
    std::int64_t modified_s = 0, modified_ns = 0, changed_s = 0, changed_ns = 0;
    bool operator==(const Identity&) const = default;
  };
  struct Known {
    Identity identity;
    std::string hash;
  };
  static Identity identity_of(const std::filesystem::path& file);
  static constexpr std::size_t kMostKnown = 4096;

  [[nodiscard]] std::filesystem::path note_of(const Identity& identity) const;
  [[nodiscard]] std::string remembered(const Identity& identity) const;  ///< empty: is not
  void remember(const Identity& identity, const std::string& hash) const;

  std::filesystem::path folder_;
  mutable std::mutex mutex_;
  std::list<Known> known_;  // last asked for first
  std::int64_t files_read_ = 0;
};

}  // namespace waggle::pipeline

// Hashes of files, read once.
#include "pipeline/weights/content_hashes.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include <sys/stat.h>

#include "pipeline/weights/blake2b.h"
#include "pipeline/weights/weight_source.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPiece = 1 << 20;
constexpr std::size_t kHashDigits = 64;

LoadError unreadable(const std::filesystem::path& file) {
  return LoadError(file.filename().string() + ": cannot be read");
}

std::string hash_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw unreadable(file);
  Blake2b hash;
  std::vector<char> piece(kPiece);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0)
    hash.add({piece.data(), static_cast<std::size_t>(in.gcount())});
  if (in.bad()) throw unreadable(file);
  return hash.finish();
}

}  // namespace

ContentHashes::Identity ContentHashes::identity_of(const std::filesystem::path& file) {
  struct stat state {};
  if (::stat(file.c_str(), &state) != 0 || !S_ISREG(state.st_mode)) throw unreadable(file);
#ifdef __APPLE__
  const timespec modified = state.st_mtimespec, changed = state.st_ctimespec;
#else
  const timespec modified = state.st_mtim, changed = state.st_ctim;
#endif
  return {static_cast<std::uint64_t>(state.st_dev),
          static_cast<std::uint64_t>(state.st_ino),
          static_cast<std::int64_t>(state.st_size),
          modified.tv_sec,
          modified.tv_nsec,
          changed.tv_sec,
          changed.tv_nsec};
}

std::string ContentHashes::of(const std::filesystem::path& file) {
  const Identity identity = identity_of(file);
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(known_, identity, &Known::identity);
    if (found != known_.end()) {
      known_.splice(known_.begin(), known_, found);
      return found->hash;
    }
  }
  std::string hash = remembered(identity);
  const bool read = hash.empty();
  if (read) {
    hash = hash_of(file);
    // Not what somebody wrote in the meantime.
    if (identity_of(file) == identity) remember(identity, hash);
  }
  const std::lock_guard lock(mutex_);
  if (read) ++files_read_;
  known_.push_front({identity, hash});
  if (known_.size() > kMostKnown) known_.pop_back();
  return hash;
}

fs::path ContentHashes::note_of(const Identity& i) const {
  Blake2b name;
  for (const std::int64_t number : {static_cast<std::int64_t>(i.device), static_cast<std::int64_t>(i.inode),
                                    i.bytes, i.modified_s, i.modified_ns, i.changed_s, i.changed_ns})
    name.add(std::to_string(number) + ' ');
  return folder_ / (name.finish() + ".content");
}

std::string ContentHashes::remembered(const Identity& identity) const {
  if (folder_.empty()) return {};
  std::string hash(kHashDigits, '\0');
  std::ifstream note(note_of(identity), std::ios::binary);
  const bool whole = note.read(hash.data(), kHashDigits) && note.get() == '\n';
  const bool digits = hash.find_first_not_of("0123456789abcdef") == hash.npos;
  return whole && digits ? hash : std::string();
}

void ContentHashes::remember(const Identity& identity, const std::string& hash) const {
  if (folder_.empty()) return;
  // In one write, which others see whole or find too short.
  std::ofstream(note_of(identity), std::ios::binary) << hash + '\n';
}

std::int64_t ContentHashes::files_read() const {
  const std::lock_guard lock(mutex_);
  return files_read_;
}

}  // namespace waggle::pipeline

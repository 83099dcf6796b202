// Finding, writing and removing files of packed weights.
#include "pipeline/weights/weight_cache.h"

#include <algorithm>
#include <chrono>

#include "pipeline/weights/blake2b.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr const char* kEnding = ".weights";
constexpr const char* kUnfinished = ".part";
/// A file that nobody has finished by now never will be.
constexpr std::chrono::hours kAbandoned{1};

}  // namespace

at::Tensor CachedWeights::keep(const std::string& weight, const ops::WeightForm& form,
                               const ops::FillWeight& fill) {
  at::Tensor values = file_ ? file_->find(weight, form) : at::Tensor();
  if (!values.defined()) {
    values = ops::weight_memory(form);
    fill(values);
    made_some_ = true;
  }
  kept_.push_back({weight, form.layout, values});
  return values;
}

void CachedWeights::loaded() {
  const auto kept = std::move(kept_);
  if (made_some_)
    cache_.write(key_, kept);
  else if (file_)
    file_->read();
  file_.reset();
}

WeightCache::WeightCache(fs::path dir, std::int64_t limit_bytes, Log log)
    : dir_(std::move(dir)), limit_bytes_(limit_bytes), log_(std::move(log)), hashes_(dir_) {
  std::error_code error;
  fs::create_directories(dir_, error);
  if (error) say("cannot be made: " + error.message());
}

std::unique_ptr<CachedWeights> WeightCache::open(const Content& content) {
  Blake2b hash;
  try {
    for (const auto& file : content.files) hash.add(hashes_.of(file));
  } catch (const std::exception& error) {
    say(error.what());
    return nullptr;
  }
  hash.add(content.making);
  std::string key = hash.finish();
  const fs::path path = path_of(key);
  std::string why;
  auto file = PackedFile::open(path, key, why);
  if (!why.empty()) say(path.filename().string() + " " + why + ": made anew");
  std::error_code ignored;
  if (file) fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  return std::make_unique<CachedWeights>(*this, std::move(key), std::move(file));
}

fs::path WeightCache::path_of(const std::string& key) const { return dir_ / (key + kEnding); }

void WeightCache::write(const std::string& key, const std::vector<PackedWeight>& weights) {
  const fs::path path = path_of(key);
  try {
    if (packed_file_bytes(weights, key) > limit_bytes_) return;
    write_packed_file(path, key, weights);
    remove_oldest(path);
  } catch (const std::exception& error) {
    say(error.what());
  }
}

void WeightCache::remove_oldest(const fs::path& but) const {
  struct File {
    fs::path path;
    std::int64_t bytes;
    fs::file_time_type used;
  };
  std::vector<File> files;
  std::error_code ignored;  // another process may remove what this one looks at
  std::int64_t total = 0;
  for (fs::directory_iterator it(dir_, ignored), end; it != end; it.increment(ignored)) {
    const auto used = it->last_write_time(ignored);
    const fs::path& path = it->path();
    if (path.extension() == kUnfinished && fs::file_time_type::clock::now() - used > kAbandoned)
      fs::remove(path, ignored);
    if (path.extension() != kEnding) continue;
    files.push_back({path, static_cast<std::int64_t>(it->file_size(ignored)), used});
    total += files.back().bytes;
  }
  std::ranges::sort(files, {}, &File::used);
  for (const File& file : files) {
    if (total <= limit_bytes_) break;
    if (file.path == but) continue;
    fs::remove(file.path, ignored);  // whoever has it mapped keeps it
    total -= file.bytes;
  }
}

void WeightCache::say(const std::string& line) const {
  if (log_) log_("weight cache: " + line);
}

}  // namespace waggle::pipeline

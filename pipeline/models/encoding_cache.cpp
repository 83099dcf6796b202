// Remembered encodings, bounded by bytes.
#include "pipeline/models/encoding_cache.h"

namespace waggle::pipeline {

std::int64_t EncodingCache::bytes_of(const Kept& kept) {
  const auto tensor = [](const at::Tensor& t) {
    return t.defined() ? static_cast<std::int64_t>(t.nbytes()) : std::int64_t{0};
  };
  return static_cast<std::int64_t>(kept.key.size()) + tensor(kept.entry.state) + tensor(kept.entry.pooled);
}

std::optional<EncodingCache::Entry> EncodingCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    ++misses_;
    return std::nullopt;
  }
  ++hits_;
  kept_.splice(kept_.begin(), kept_, found->second);
  return found->second->entry;
}

void EncodingCache::put(std::string key, Entry entry) {
  const std::lock_guard lock(mutex_);
  if (by_key_.contains(key)) return;
  kept_.push_front({std::move(key), std::move(entry)});
  by_key_.emplace(kept_.front().key, kept_.begin());
  bytes_ += bytes_of(kept_.front());
  while (bytes_ > budget_bytes_ && !kept_.empty()) {
    bytes_ -= bytes_of(kept_.back());
    by_key_.erase(kept_.back().key);
    kept_.pop_back();
  }
}

std::int64_t EncodingCache::hits() const {
  const std::lock_guard lock(mutex_);
  return hits_;
}

std::int64_t EncodingCache::misses() const {
  const std::lock_guard lock(mutex_);
  return misses_;
}

std::int64_t EncodingCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace waggle::pipeline

// What text encoders made of chunks of prompts, so that the same words are encoded once.
//
// Holds the states before emphasis is multiplied in: a prompt that differs in weights alone is found too.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include <ATen/core/Tensor.h>

namespace waggle::pipeline {

/// Thread-safe. What was not asked for longest is forgotten first.
class EncodingCache {
 public:
  struct Entry {
    at::Tensor state;   ///< [1, 77, C] fp32
    at::Tensor pooled;  ///< [1, P] fp32; undefined for an encoder without projection
  };

  explicit EncodingCache(std::int64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  /// Counts a hit or a miss.
  std::optional<Entry> find(const std::string& key);
  void put(std::string key, Entry entry);

  [[nodiscard]] std::int64_t hits() const;
  [[nodiscard]] std::int64_t misses() const;
  [[nodiscard]] std::int64_t bytes() const;

 private:
  struct Kept {
    std::string key;
    Entry entry;
  };
  static std::int64_t bytes_of(const Kept& kept);

  std::int64_t budget_bytes_;
  mutable std::mutex mutex_;
  std::list<Kept> kept_;                                                    // last asked for first
  std::unordered_map<std::string_view, std::list<Kept>::iterator> by_key_;  // views into kept_
  std::int64_t bytes_ = 0, hits_ = 0, misses_ = 0;
};

}  // namespace waggle::pipeline

// Large blocks of memory side by side in one range of addresses, apart from the heap.
//
// On the heap whatever lives on pins the holes around it: small things that are made during a step keep the
// next step, of another batch, from using the memory of the last one. Here nothing small lies between, so
// that the range grows to little more than what is in use at once. Knows no tensors.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <unordered_map>

namespace waggle::pipeline {

/// Thread-safe. Pages that were touched stay with the process until release() or, while thrifty, until their
/// block is freed.
class BlockArena {
 public:
  /// Reserves so many bytes of addresses, no memory. Where the system refuses, take() always returns null.
  explicit BlockArena(std::size_t reserved_bytes);
  ~BlockArena();
  BlockArena(const BlockArena&) = delete;
  BlockArena& operator=(const BlockArena&) = delete;

  /// At a multiple of 64 bytes; null when there is no room.
  [[nodiscard]] void* take(std::size_t bytes);
  /// `block`: from take().
  void give_back(void* block);
  [[nodiscard]] bool holds(const void* address) const noexcept;

  /// Gives free pages back to the system.
  void release();
  void set_thrifty(bool thrifty);
  /// The end of what was ever in use since the last release(), counted from the beginning.
  [[nodiscard]] std::size_t extent() const;

 private:
  void discard(std::size_t begin, std::size_t end) const;  ///< of the pages that lie wholly between

  char* base_ = nullptr;
  std::size_t reserved_ = 0;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::size_t> free_;            ///< begin to end, in order, never side by side
  std::unordered_map<std::size_t, std::size_t> used_;  ///< begin to end
  std::size_t extent_ = 0;
  bool thrifty_ = false;
};

/// From now on libtorch's CPU tensors of 256 KiB and more lie in an arena of the process. Process-wide, once;
/// does nothing where the system refuses, nor under a sanitizer, which wants to see every block.
void keep_tensors_apart();
/// That arena; null before.
BlockArena* tensor_arena() noexcept;

}  // namespace waggle::pipeline

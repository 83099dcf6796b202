// First fit by address, neighbours joined at once: the lowest range that a step's blocks fit into.
#include "pipeline/engine/block_arena.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <iterator>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <unistd.h>

namespace waggle::pipeline {
namespace {

constexpr std::size_t kAlignment = 64;
/// Between blocks, so that those whose sizes are powers of two do not begin at the same place of the caches.
constexpr std::size_t kStagger = 192;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

std::atomic<BlockArena*> of_tensors = nullptr;

class TensorAllocator final : public c10::Allocator {
 public:
  TensorAllocator(c10::Allocator* small, BlockArena* arena) : arena_(arena) {
    small_ = small;
    release_small_ = small->raw_deleter();
  }
  c10::DataPtr allocate(std::size_t bytes) const override {
    constexpr std::size_t kLarge = 256 << 10;
    void* block = bytes < kLarge ? nullptr : arena_->take(bytes);
    if (block == nullptr) return small_->allocate(bytes);
    return {block, block, &give_back, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

 private:
  static void give_back(void* block) {
    BlockArena* const arena = tensor_arena();
    arena->holds(block) ? arena->give_back(block) : release_small_(block);
  }

  static inline c10::Allocator* small_ = nullptr;
  static inline c10::DeleterFnPtr release_small_ = nullptr;
  BlockArena* arena_;
};

}  // namespace

BlockArena::BlockArena(std::size_t reserved_bytes) {
  void* range = ::mmap(nullptr, reserved_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) return;
  base_ = static_cast<char*>(range);
  reserved_ = reserved_bytes;
  free_[0] = reserved_;
}

BlockArena::~BlockArena() {
  if (base_ != nullptr) ::munmap(base_, reserved_);
}

bool BlockArena::holds(const void* address) const noexcept {
  const auto* place = static_cast<const char*>(address);
  return base_ != nullptr && place >= base_ && place < base_ + reserved_;
}

void* BlockArena::take(std::size_t bytes) {
  if (bytes > reserved_) return nullptr;
  const std::size_t room = (bytes + kAlignment - 1) / kAlignment * kAlignment + kStagger;
  const std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find_if(free_, [&](const auto& range) { return range.second - range.first >= room; });
  if (found == free_.end()) return nullptr;
  const auto [begin, end] = *found;
  free_.erase(found);
  if (begin + room < end) free_[begin + room] = end;
  used_[begin] = begin + room;
  extent_ = std::max(extent_, begin + room);
  return base_ + begin;
}

void BlockArena::give_back(void* block) {
  auto begin = static_cast<std::size_t>(static_cast<char*>(block) - base_);
  const std::lock_guard lock(mutex_);
  const auto used = used_.find(begin);
  assert(used != used_.end());
  std::size_t end = used->second;
  used_.erase(used);
  auto next = free_.lower_bound(begin);
  if (next != free_.begin())
    if (const auto before = std::prev(next); before->second == begin) {
      begin = before->first;
      free_.erase(before);
    }
  if (next != free_.end() && next->first == end) {
    end = next->second;
    free_.erase(next);
  }
  free_[begin] = end;
  if (thrifty_) discard(begin, std::min(end, extent_));
}

void BlockArena::discard(std::size_t begin, std::size_t end) const {
  const std::size_t page = page_bytes(), first = (begin + page - 1) / page * page, last = end / page * page;
  if (first < last) ::madvise(base_ + first, last - first, MADV_DONTNEED);
}

void BlockArena::release() {
  const std::lock_guard lock(mutex_);
  // The page at the end of the extent may hold the end of a block and nothing behind it.
  const std::size_t touched = std::min(reserved_, extent_ + page_bytes());
  extent_ = 0;
  for (const auto& [begin, end] : used_) extent_ = std::max(extent_, end);
  for (const auto& [begin, end] : free_)
    if (begin < touched) discard(begin, std::min(end, touched));
}

void BlockArena::set_thrifty(bool thrifty) {
  if (thrifty) release();
  const std::lock_guard lock(mutex_);
  thrifty_ = thrifty;
}

std::size_t BlockArena::extent() const {
  const std::lock_guard lock(mutex_);
  return extent_;
}

void keep_tensors_apart() {
  if (kSanitized) return;
  static const bool done = [] {
    // Addresses, not memory: four times the machine's, for ranges that fit nothing.
    const std::size_t reserved = 4 * static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * page_bytes();
    static BlockArena* const arena = new BlockArena(reserved);  // tensors outlive every static object
    of_tensors = arena;
    static auto* const allocator = new TensorAllocator(c10::GetAllocator(c10::DeviceType::CPU), arena);
    c10::SetAllocator(c10::DeviceType::CPU, allocator, /*priority=*/1);
    return true;
  }();
  (void)done;
}

BlockArena* tensor_arena() noexcept { return of_tensors; }

}  // namespace waggle::pipeline

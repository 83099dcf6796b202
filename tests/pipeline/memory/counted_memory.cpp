// An allocator that keeps the size in front of each block.
#include "tests/pipeline/memory/counted_memory.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include <ATen/Parallel.h>
#include <c10/core/CPUAllocator.h>

namespace waggle::pipeline::testing {
namespace {

constexpr std::size_t kHeader = 64;  // keeps the block aligned
// The figures do not depend on threads, and on a busy machine one is faster than two that wait for each
// other.
[[maybe_unused]] const bool one_thread = (at::set_num_threads(1), true);

std::atomic<std::int64_t> alive{0}, most{0}, at_begin{0};

void release(void* block) {
  if (block == nullptr) return;
  auto* memory = static_cast<char*>(block) - kHeader;
  alive -= *reinterpret_cast<std::int64_t*>(memory);
  std::free(memory);
}

class Counter final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) const override {
    if (bytes == 0) return {nullptr, c10::Device(c10::DeviceType::CPU)};
    auto* memory = static_cast<char*>(std::aligned_alloc(64, (bytes + kHeader + 63) / 64 * 64));
    if (memory == nullptr) throw std::bad_alloc();
    *reinterpret_cast<std::int64_t*>(memory) = static_cast<std::int64_t>(bytes);
    const std::int64_t now = alive += static_cast<std::int64_t>(bytes);
    for (std::int64_t seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    return {memory + kHeader, memory + kHeader, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
};

}  // namespace

CountedMemory::CountedMemory() {
  static Counter counter;
  static const bool installed = [] {
    c10::SetAllocator(c10::DeviceType::CPU, &counter, /*priority=*/100);
    return true;
  }();
  (void)installed;
  at_begin = alive.load();
  most = alive.load();
}

std::int64_t CountedMemory::peak() const { return most - at_begin; }

}  // namespace waggle::pipeline::testing

// glibc's malloc, told to keep what it has.
#include "pipeline/engine/allocator.h"

#include <cstdlib>  // a header of the C library must come first: only then is it known whose library that is

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "pipeline/engine/block_arena.h"

namespace waggle::pipeline {
namespace {

#if defined(__GLIBC__)
constexpr int kAnyMaps = 65536;                // glibc's own default
constexpr int kMappedFrom = 256 << 10;         // bytes
constexpr int kDefaultMappedFrom = 128 << 10;  // glibc's own, before it adapts
bool keeping = false;
#endif

}  // namespace

void keep_freed_memory() {
#if defined(__GLIBC__)
  // Blocks above 32 MiB are mapped whatever the threshold, and other arenas hold 64 MiB at most: so no maps,
  // one arena. A threshold of -1 is none: the top of the heap is not given back, however large it gets.
  // Huge pages for the heap were tried: a thousandth of the faults, and four times the time in the kernel.
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, -1);
  ::mallopt(M_TOP_PAD, 64 << 20);
  keeping = true;
#endif
}

void release_freed_memory() {
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
  if (BlockArena* const arena = tensor_arena()) arena->release();
}

ThriftyMemory::ThriftyMemory() {
  release_freed_memory();
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_THRESHOLD, kMappedFrom);
  ::mallopt(M_MMAP_MAX, kAnyMaps);
#endif
  if (BlockArena* const arena = tensor_arena()) arena->set_thrifty(true);
}

ThriftyMemory::~ThriftyMemory() {
  if (BlockArena* const arena = tensor_arena()) arena->set_thrifty(false);
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_THRESHOLD, kDefaultMappedFrom);
  if (keeping) ::mallopt(M_MMAP_MAX, 0);
#endif
}

}  // namespace waggle::pipeline

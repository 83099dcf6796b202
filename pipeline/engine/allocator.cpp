// glibc's malloc, told to keep what it has.
#include "pipeline/engine/allocator.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace waggle::pipeline {

void keep_freed_memory() {
#if defined(__GLIBC__)
  // Blocks above 32 MiB are mapped whatever the threshold, and other arenas hold 64 MiB at most: so no maps,
  // one arena.
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, 0x7FFFFFFF);
  ::mallopt(M_TOP_PAD, 64 << 20);
#endif
}

void release_freed_memory() {
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

}  // namespace waggle::pipeline

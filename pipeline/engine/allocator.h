// How the process's allocator treats memory that a step frees.
#pragma once

namespace waggle::pipeline {

/// Keeps freed memory in the process instead of giving it back to the kernel and faulting it in again at each
/// operation: with glibc's defaults that costs more than a second of a 512x512 step. Process-wide, once; does
/// nothing elsewhere.
void keep_freed_memory();
/// Gives back what is free now: after a model was unloaded.
void release_freed_memory();

/// While one lives, large blocks are mapped and go back to the kernel the moment they are freed, so that the
/// process takes what its tensors take and no more: for work that must keep within a budget, which pays for
/// it with page faults. What was lying about free is given back first. One at a time.
class ThriftyMemory {
 public:
  ThriftyMemory();
  ~ThriftyMemory();
  ThriftyMemory(const ThriftyMemory&) = delete;
  ThriftyMemory& operator=(const ThriftyMemory&) = delete;
};

}  // namespace waggle::pipeline

// The device's memory as it is now. What a picture needs of it: pipeline/engine/memory_estimate.h.
#pragma once

#include <cstdint>

#include "pipeline/pipeline.h"

namespace waggle::pipeline {

struct MemoryState {
  std::int64_t used_bytes = 0;   ///< by this process (CPU) or on the device
  std::int64_t total_bytes = 0;  ///< of the container or device
  std::int64_t free_bytes = 0;
};
MemoryState memory_state(Device device);

}  // namespace waggle::pipeline

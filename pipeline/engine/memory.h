// What fits: the device's memory, and an estimate of what a picture of a size needs, asked before a job
// starts.
#pragma once

#include <cstdint>

#include "pipeline/models/stable_diffusion.h"
#include "pipeline/pipeline.h"

namespace waggle::pipeline {

struct MemoryState {
  std::int64_t used_bytes = 0;   ///< by this process (CPU) or on the device
  std::int64_t total_bytes = 0;  ///< of the container or device
  std::int64_t free_bytes = 0;
};
MemoryState memory_state(Device device);

/// Upper estimate of the activations that one picture needs beside the weights: the larger of one UNet call
/// with guidance and one VAE decode. **Unit**: bytes, for fp32; half precisions need half.
std::int64_t activation_bytes(const StableDiffusion& model, int width, int height);

}  // namespace waggle::pipeline

// From the face's words (cpu, cuda, metal; auto, fp32, ...) to libtorch's devices and dtypes, and to
// operations.
#pragma once

#include <memory>

#include <ATen/core/Tensor.h>

#include "pipeline/ops/ops.h"
#include "pipeline/pipeline.h"

namespace waggle::pipeline {

at::Device torch_device(Device device);

/// Of activations. `auto`: bf16 on a CPU that multiplies it (AVX512-BF16, AMX), else fp32; fp16 on a GPU.
/// Throws for fp16 on a CPU and for int8 on anything else.
at::ScalarType dtype_for(Device device, Precision precision);

/// What runs a UNet, and the ControlNets beside it; all else runs by ops::best_operations. Throws as
/// dtype_for.
std::shared_ptr<const ops::Operations> unet_operations(Device device, Precision precision);

/// `asked` when it is above 0, else this pipeline's share of what the kernel gives the process.
int thread_count(int asked, int share = 1);

}  // namespace waggle::pipeline

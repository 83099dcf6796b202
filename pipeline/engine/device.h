// From the face's words (cpu, cuda, metal; auto, fp32, ...) to libtorch's devices and dtypes.
#pragma once

#include <ATen/core/Tensor.h>

#include "pipeline/pipeline.h"

namespace waggle::pipeline {

at::Device torch_device(Device device);

/// `auto`: bf16 on a CPU that multiplies it (AVX512-BF16, AMX), else fp32; fp16 on a GPU. Throws for fp16 on
/// a CPU.
at::ScalarType dtype_for(Device device, Precision precision);

/// `asked` when it is above 0, else this pipeline's share of what the kernel gives the process.
int thread_count(int asked, int share = 1);

}  // namespace waggle::pipeline

// The parts of a full-size model, each as a function of nothing over random weights and fixed inputs.
#pragma once

#include <functional>
#include <memory>

#include <ATen/core/Tensor.h>

#include "pipeline/ops/ops.h"
#include "tests/pipeline/bench/options.h"

namespace waggle::bench {

/// One forward pass over inputs that depend on the options alone.
using Work = std::function<at::Tensor()>;

/// `options.part`: "unet", "vae" (decoder) or "text" (all encoders of the family over one chunk a row).
Work make_work(const Options& options, const std::shared_ptr<const pipeline::ops::Operations>& operations);

}  // namespace waggle::bench

// What differs between libtorch 1.13 (Debian, CPU) and 2.x (CUDA, Metal), in one place.
#pragma once

#include <ATen/Context.h>
#include <torch/csrc/api/include/torch/version.h>

#define WAGGLE_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace waggle::pipeline {

inline bool torch_has_metal() { return at::hasMPS(); }

}  // namespace waggle::pipeline

// What loading a model fails with inside the pipeline; its face turns it into a Result. No tensors here.
#pragma once

#include <stdexcept>

namespace waggle::pipeline {

/// The message names the file and, where one is at fault, the key or the tensor.
class LoadError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace waggle::pipeline

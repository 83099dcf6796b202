// From an exception to the Error that may cross the wire: a code and one short line without paths, stack or
// prompt.
#pragma once

#include <exception>
#include <string>

#include "schemas/error.h"

namespace waggle::pipeline {

struct Failure {
  Error error;
  std::string detail;  ///< for the log
};

/// Thrown out of a piece of work that is split for its sake: the job has been cancelled meanwhile.
struct Cancelled : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "the job was cancelled"; }
};

/// Never throws; knows what libtorch throws when memory runs out (a plain c10::Error on the CPU).
Failure failure_of(const std::exception_ptr& exception) noexcept;

}  // namespace waggle::pipeline

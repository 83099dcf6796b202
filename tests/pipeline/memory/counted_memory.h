// How much memory tensors take while a piece of code runs: libtorch's CPU allocator, counted.
#pragma once

#include <cstdint>

namespace waggle::pipeline::testing {

/// From its making on. One at a time.
class CountedMemory {
 public:
  CountedMemory();
  /// The most bytes that were alive at once, beyond those that were alive at the beginning.
  [[nodiscard]] std::int64_t peak() const;
};

}  // namespace waggle::pipeline::testing

// A batch in equal parts, each on a thread of its own with its own graph over the same weights.
//
// Two threads that share one operation wait for each other at its end, and on a busy machine that wait is
// most of the time. Threads that share nothing but the step wait once.
#pragma once

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace waggle::training {

struct Gradients {
  double loss = 0;  ///< mean over the shards
  std::vector<at::Tensor>
      of_each;  ///< in the order of the parameters, mean over the shards; undefined: unused
};

/// Runs `loss(shard)` for 0 .. shards-1 and differentiates each. Deterministic: sums go in order of shard. An
/// exception in one shard is thrown here when all have ended.
Gradients differentiate(const std::vector<at::Tensor>& parameters, int shards,
                        const std::function<at::Tensor(int shard)>& loss);

/// The same division of labour without gradients.
void in_parallel(int shards, const std::function<void(int shard)>& work);

}  // namespace waggle::training

// One thread per shard for the length of a step.
#include "pipeline/training/shards.h"

#include <exception>
#include <thread>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

namespace waggle::training {

void in_parallel(int shards, const std::function<void(int shard)>& work) {
  const auto count = static_cast<std::size_t>(shards);
  std::vector<std::exception_ptr> failures(count);
  const auto guarded = [&](int shard) {
    try {
      at::set_num_threads(1);
      work(shard);
    } catch (...) {
      failures[static_cast<std::size_t>(shard)] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int shard = 1; shard < shards; ++shard) threads.emplace_back(guarded, shard);
    guarded(0);
  }
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

Gradients differentiate(const std::vector<at::Tensor>& parameters, int shards,
                        const std::function<at::Tensor(int shard)>& loss) {
  const auto count = static_cast<std::size_t>(shards);
  std::vector<double> losses(count);
  std::vector<std::vector<at::Tensor>> gradients(count);
  in_parallel(shards, [&](int shard) {
    const auto i = static_cast<std::size_t>(shard);
    const at::Tensor value = loss(shard);
    gradients[i] = torch::autograd::grad({value}, parameters, {}, /*retain_graph=*/false,
                                         /*create_graph=*/false, /*allow_unused=*/true);
    losses[i] = value.item<double>();
  });

  Gradients out{0, std::move(gradients[0])};
  for (const double value : losses) out.loss += value / shards;
  for (std::size_t p = 0; p < out.of_each.size(); ++p) {
    at::Tensor& sum = out.of_each[p];
    for (std::size_t i = 1; i < count; ++i) {
      const at::Tensor& other = gradients[i][p];
      if (other.defined()) sum = sum.defined() ? sum.add_(other) : other;
    }
    if (sum.defined()) sum.mul_(1.0 / shards);
  }
  return out;
}

}  // namespace waggle::training

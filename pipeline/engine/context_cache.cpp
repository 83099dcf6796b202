// Keys and values per network, made anew when the rows differ.
#include "pipeline/engine/context_cache.h"

#include <ATen/Functions.h>

namespace waggle::pipeline {
namespace {

/// More networks than one batch asks: beyond them the memory is worth more than the time.
constexpr std::size_t kMaxNetworks = 8;

}  // namespace

const UNetContext& ContextCache::get(const void* network, std::vector<ContextRow> rows,
                                     const Prepare& prepare) {
  if (const auto found = entries_.find(network); found != entries_.end() && found->second.rows == rows)
    return found->second.context;
  std::vector<at::Tensor> text, pooled, sizes;
  for (const auto& [conditioning, negative] : rows) {
    text.push_back(negative ? conditioning->negative : conditioning->positive);
    pooled.push_back(negative ? conditioning->pooled_negative : conditioning->pooled_positive);
    sizes.push_back(negative && conditioning->sizes_negative.defined() ? conditioning->sizes_negative
                                                                       : conditioning->sizes);
  }
  if (entries_.size() >= kMaxNetworks) entries_.clear();
  const bool sized = sizes.front().defined();
  Entry fresh{std::move(rows), prepare(at::cat(text), sized ? at::cat(pooled) : at::Tensor(),
                                       sized ? at::cat(sizes) : at::Tensor())};
  return entries_.insert_or_assign(network, std::move(fresh)).first->second.context;
}

}  // namespace waggle::pipeline

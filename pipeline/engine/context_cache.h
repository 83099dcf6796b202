// The text's keys and values inside each network, for the batch that ran last.
//
// They cost as much as a step's cross attention and change only when the batch's composition does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "pipeline/models/stable_diffusion.h"

namespace waggle::pipeline {

/// One row of a network's batch: whose conditioning, and which half of it.
struct ContextRow {
  std::shared_ptr<const Conditioning> conditioning;
  bool negative = false;
  bool operator==(const ContextRow&) const = default;
};

class ContextCache {
 public:
  /// `Network`: UNet or ControlNet. The reference holds until the next get() or clear().
  template <typename Network>
  const UNetContext& get(const Network& network, std::vector<ContextRow> rows) {
    return get(&network, std::move(rows),
               [&network](const at::Tensor& text, const at::Tensor& pooled, const at::Tensor& sizes) {
                 return network.prepare(text, pooled, sizes);
               });
  }
  void clear() { entries_.clear(); }

 private:
  using Prepare = std::function<UNetContext(const at::Tensor&, const at::Tensor&, const at::Tensor&)>;
  struct Entry {
    std::vector<ContextRow> rows;
    UNetContext context;
  };
  const UNetContext& get(const void* network, std::vector<ContextRow> rows, const Prepare& prepare);

  std::map<const void*, Entry> entries_;
};

}  // namespace waggle::pipeline

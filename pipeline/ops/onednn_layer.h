// What layers over oneDNN are made of: weights packed once, and primitives kept for the shapes that came
// last.
//
// Included by the files that implement such layers, by nobody else.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <oneapi/dnnl/dnnl.hpp>

namespace waggle::pipeline::ops::onednn {

using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;

inline const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}
inline dnnl::stream& stream() {
  thread_local dnnl::stream own(engine());
  return own;
}

inline memory over(const memory::desc& desc, const at::Tensor& tensor) {
  return {desc, engine(), tensor.data_ptr()};
}

/// Weights that are kept in whatever layout the primitives want; a primitive that wants another one gets its
/// own copy.
class PackedWeights {
 public:
  PackedWeights(const at::Tensor& plain, const memory::desc& desc) : plain_(plain), plain_desc_(desc) {}

  const memory& in(const memory::desc& wanted) {
    for (const memory& copy : copies_)
      if (copy.get_desc() == wanted) return copy;
    memory packed(wanted, engine());
    // After the first packing the plain weights are gone; other layouts are made from that one.
    memory source = copies_.empty() ? over(plain_desc_, plain_) : copies_.front();
    dnnl::reorder(source, packed).execute(stream(), source, packed);
    stream().wait();
    plain_.reset();
    return copies_.emplace_back(std::move(packed));
  }
  /// Drops the copies that `is_wanted` denies; never the one that others are made from.
  template <class Predicate>
  void keep(const Predicate& is_wanted) {
    if (copies_.empty()) return;
    copies_.erase(std::remove_if(copies_.begin() + 1, copies_.end(),
                                 [&](const memory& copy) { return !is_wanted(copy.get_desc()); }),
                  copies_.end());
  }

 private:
  at::Tensor plain_;
  memory::desc plain_desc_;
  std::vector<memory> copies_;
};

/// A primitive with what it needs beside source and destination.
struct Prepared {
  dnnl::primitive primitive;
  memory::desc source, destination, scratchpad;
  memory weights;
};

/// What was prepared for the shapes that came last, the latest first. A worker sees shapes without end
/// (sizes, batches, tiles), each of them worth some tens of kilobytes of code in each of hundreds of layers.
template <class Key>
class LatestPrepared {
 public:
  /// Enough for one picture size at the batches that jobs joining and leaving make of it.
  static constexpr std::size_t kMost = 8;

  /// `make(Prepared&)` fills what is not there; what is dropped for it takes its copy of the weights along
  /// where nothing else uses that.
  template <class Make>
  const Prepared& find(const Key& key, PackedWeights& weights, const Make& make) {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const auto& entry) { return entry.first == key; });
    if (found != all_.end()) {
      std::rotate(all_.begin(), found, found + 1);
      return all_.front().second;
    }
    Prepared fresh;
    make(fresh);
    const bool full = all_.size() == kMost;
    if (full) all_.pop_back();
    all_.emplace(all_.begin(), key, std::move(fresh));
    if (full)
      weights.keep([&](const memory::desc& desc) {
        return std::any_of(all_.begin(), all_.end(),
                           [&](const auto& entry) { return entry.second.weights.get_desc() == desc; });
      });
    return all_.front().second;
  }

 private:
  std::vector<std::pair<Key, Prepared>> all_;
};

}  // namespace waggle::pipeline::ops::onednn

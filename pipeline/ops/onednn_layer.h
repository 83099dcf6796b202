// What layers over oneDNN are made of: weights packed once, and primitives kept for the shapes that came
// last.
//
// Included by the files that implement such layers, by nobody else.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <oneapi/dnnl/dnnl.hpp>

#include "pipeline/ops/weight.h"
#include "pipeline/weights/blake2b.h"

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

/// By way of `plain` where the library knows no way from one layout to the other (oneDNN 2.6: from bytes that
/// lie for AMX to bytes with compensation for VNNI).
inline void reorder(const memory& from, const memory& to, const memory::desc& plain) {
  memory source = from, target = to;  // handles
  const dnnl::reorder::primitive_desc direct(engine(), source.get_desc(), engine(), target.get_desc(), {},
                                             /*allow_empty=*/true);
  if (direct.get(/*allow_empty=*/true) == nullptr) {
    const at::Tensor room = weight_memory({"", {static_cast<std::int64_t>(plain.get_size())}, at::kByte});
    memory between = over(plain, room);
    dnnl::reorder(source, between).execute(stream(), source, between);
    dnnl::reorder(between, target).execute(stream(), between, target);
  } else {
    dnnl::reorder(direct).execute(stream(), source, target);
  }
  stream().wait();
}

/// Equal for layouts that are equal in every bit: order, blocks, padding, compensation.
inline std::string name_of(const memory::desc& desc) {
  Blake2b hash;
  hash.add({reinterpret_cast<const char*>(&desc.data), sizeof desc.data});
  return "onednn " + hash.finish();
}

/// Weights in whatever layout the primitives want; a primitive that wants another one gets its own copy.
class PackedWeights {
 public:
  /// Packed at once in the layout that primitives will want for all that is known. `plain()` gives the
  /// weight in the layout of `plain_desc`; it is not called when somebody has kept the packed one.
  template <class Plain>
  PackedWeights(const Weight& weight, const memory::desc& assumed, const memory::desc& plain_desc,
                const Plain& plain)
      : plain_(plain_desc) {
    const auto pack = [&](const at::Tensor& room) {
      const at::Tensor values = plain();
      reorder(over(plain_desc, values), over(assumed, room), plain_desc);
    };
    add(assumed, weight.in({name_of(assumed), {bytes_of(assumed)}, at::kByte}, pack));
  }

  const memory& in(const memory::desc& wanted) {
    auto copy = std::find_if(copies_.begin(), copies_.end(),
                             [&](const Copy& kept) { return kept.packed.get_desc() == wanted; });
    if (copy == copies_.end()) {
      at::Tensor room = weight_memory({"", {bytes_of(wanted)}, at::kByte});
      reorder(copies_.front().packed, over(wanted, room), plain_);
      if (!copies_.front().in_use) copies_.clear();  // the assumption was wrong
      add(wanted, std::move(room));
      copy = copies_.end() - 1;
    }
    copy->in_use = true;
    return copy->packed;
  }
  /// Drops the copies that `is_wanted` denies; never the one that others are made from.
  template <class Predicate>
  void keep(const Predicate& is_wanted) {
    copies_.erase(std::remove_if(copies_.begin() + 1, copies_.end(),
                                 [&](const Copy& copy) { return !is_wanted(copy.packed.get_desc()); }),
                  copies_.end());
  }

 private:
  struct Copy {
    at::Tensor room;
    memory packed;
    bool in_use = false;
  };
  static std::int64_t bytes_of(const memory::desc& desc) {
    return static_cast<std::int64_t>(desc.get_size());
  }
  void add(const memory::desc& desc, at::Tensor room) {
    memory packed = over(desc, room);
    copies_.push_back({std::move(room), std::move(packed)});
  }

  memory::desc plain_;
  std::vector<Copy> copies_;
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

// Operations that pass every call on and keep, by kind, how long it took and how much arithmetic it was.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "pipeline/ops/ops.h"

namespace waggle::bench {

struct Kind {
  double seconds = 0;
  double flop = 0;  ///< multiplications and additions, counted from shapes
  std::int64_t calls = 0;
};

/// Totals of everything that ran since the last clear().
class Ledger {
 public:
  void add(const std::string& kind, double seconds, double flop) {
    Kind& k = kinds_[kind];
    k.seconds += seconds;
    k.flop += flop;
    ++k.calls;
  }
  void clear() { kinds_.clear(); }
  [[nodiscard]] const std::map<std::string, Kind>& kinds() const { return kinds_; }
  [[nodiscard]] double flop() const {
    double total = 0;
    for (const auto& [name, kind] : kinds_) total += kind.flop;
    return total;
  }

 private:
  std::map<std::string, Kind> kinds_;
};

std::shared_ptr<const pipeline::ops::Operations> measured(
    std::shared_ptr<const pipeline::ops::Operations> inner, Ledger& ledger);

}  // namespace waggle::bench

// Random draws that are the same on every standard library: a seed must mean the same pictures everywhere,
// and the distributions of <random> are free to differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace waggle::training {

class Dice {
 public:
  explicit Dice(std::mt19937_64& generator) : generator_(generator) {}

  /// One of 0 .. count-1. One draw; its bias is below 2^-56 for any count used here.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(generator_() % count); }
  /// Uniform in [low, high). One draw.
  double between(double low, double high) {
    return low + (high - low) * static_cast<double>(generator_() >> 11) * 0x1p-53;
  }
  /// True with this probability. One draw.
  bool chance(double probability) { return between(0, 1) < probability; }
  /// One element of anything with size() and []. One draw.
  template <typename List>
  const auto& one_of(const List& list) {
    return list[below(list.size())];
  }

 private:
  std::mt19937_64& generator_;
};

}  // namespace waggle::training

// Trying tilings, those with the least repeated work first.
#include "pipeline/engine/tiling_choice.h"

#include <cmath>
#include <functional>
#include <vector>

namespace waggle::pipeline {
namespace {

/// Cores of these many latent cells per side are tried, the larger ones first.
constexpr std::int64_t kCores[] = {128, 96, 64, 48, 32, 24, 16};
constexpr std::int64_t kGoodCore = 32;  // below it a tile is mostly halo

using Estimate = std::function<std::int64_t(const VaeTiling&)>;

std::optional<VaeTiling> choose(const std::vector<VaeTiling>& candidates, const Estimate& bytes,
                                std::int64_t budget) {
  const VaeTiling* thriftiest = nullptr;
  std::int64_t least = 0;
  for (const VaeTiling& tiling : candidates) {
    const std::int64_t needed = bytes(tiling);
    if (needed <= budget) return tiling;
    if (thriftiest == nullptr || needed < least) thriftiest = &tiling, least = needed;
  }
  return *thriftiest;
}

/// `cells_per_latent`: of a split. `splits`: those with the least repeated work first.
std::vector<VaeTiling> candidates(const std::vector<int>& splits,
                                  const std::function<double(int split)>& cells_per_latent) {
  std::vector<VaeTiling> all;
  for (const bool good : {true, false})
    for (const int split : splits)
      for (const std::int64_t core : kCores)
        if ((core >= kGoodCore) == good)
          all.push_back({split, std::llround(static_cast<double>(core) * cells_per_latent(split))});
  return all;
}

}  // namespace

std::optional<VaeTiling> decode_tiling(const VaeConfig& config, std::int64_t height, std::int64_t width,
                                       const ActivationKind& kind, std::int64_t budget) {
  if (decode_bytes(config, height, width, kind) <= budget || config.widths.size() < 2) return std::nullopt;
  std::vector<int> splits;  // the finer the split, the smaller the halos
  for (auto split = static_cast<int>(config.widths.size()) - 1; split >= 1; --split) splits.push_back(split);
  return choose(
      candidates(splits, [](int split) { return std::pow(2.0, split - 1); }),
      [&](const VaeTiling& tiling) { return decode_bytes(config, height, width, kind, tiling); }, budget);
}

std::optional<VaeTiling> encode_tiling(const VaeConfig& config, std::int64_t height, std::int64_t width,
                                       const ActivationKind& kind, std::int64_t budget) {
  if (encode_bytes(config, height, width, kind) <= budget || config.widths.size() < 2) return std::nullopt;
  const auto factor = static_cast<double>(config.factor());
  std::vector<int> splits;
  for (int split = 1; split < static_cast<int>(config.widths.size()); ++split) splits.push_back(split);
  return choose(
      candidates(splits, [&](int split) { return factor / std::pow(2.0, split); }),
      [&](const VaeTiling& tiling) { return encode_bytes(config, height, width, kind, tiling); }, budget);
}

}  // namespace waggle::pipeline

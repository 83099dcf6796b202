// The eleven levels of each family as published with the paper; the eleventh only shapes the interpolation,
// because a run ends at the clean picture instead.
#include "pipeline/schedules/tuned_levels.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace waggle::pipeline {
namespace {

constexpr int kPoints = 11;
constexpr std::array<double, kPoints> kStableDiffusion1 = {
    14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520, 1.8841921177, 1.3943805092,
    0.9642583904,  0.6523686016, 0.3977456272, 0.1515232662, 0.0291671582};
constexpr std::array<double, kPoints> kStableDiffusionXl = {
    14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141,
    0.5550693289,  0.3798540708, 0.2332364134, 0.1114188177, 0.0291671582};

}  // namespace

std::vector<double> align_your_steps(int n, bool sdxl) {
  const auto& levels = sdxl ? kStableDiffusionXl : kStableDiffusion1;
  std::vector<double> out;
  for (int i = 0; i < n; ++i) {
    const double place = static_cast<double>(i) * (kPoints - 1) / n;
    const auto low = std::min(static_cast<std::size_t>(place), levels.size() - 2);
    const double w = place - static_cast<double>(low);
    out.push_back(std::exp((1.0 - w) * std::log(levels[low]) + w * std::log(levels[low + 1])));
  }
  return out;
}

}  // namespace waggle::pipeline

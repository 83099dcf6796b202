// How a picture that is too large for one piece is cut: by what memory_estimate.h says that each way needs.
#pragma once

#include <cstdint>
#include <optional>

#include "pipeline/engine/memory_estimate.h"

namespace waggle::pipeline {

/// The tiling that keeps within the budget and repeats the least work; nothing when one piece fits, the
/// thriftiest one when nothing fits. Cells are those of the latents.
std::optional<VaeTiling> decode_tiling(const VaeConfig& config, std::int64_t height, std::int64_t width,
                                       const ActivationKind& kind, std::int64_t budget_bytes);
std::optional<VaeTiling> encode_tiling(const VaeConfig& config, std::int64_t height, std::int64_t width,
                                       const ActivationKind& kind, std::int64_t budget_bytes);

}  // namespace waggle::pipeline

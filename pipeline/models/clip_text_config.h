// The shape of a CLIP text encoder, as its config.json gives it. Builds nothing.
#pragma once

#include <cstdint>

#include "pipeline/models/config.h"

namespace waggle::pipeline {

struct ClipTextConfig {
  std::int64_t vocabulary, width, mlp_width, layers, heads, positions;
  std::int64_t projection_width = 0;  ///< 0: the model has no text_projection
  std::int64_t eos_token_id;
  double norm_eps;
  bool quick_gelu;

  /// Throws LoadError naming file and key.
  static ClipTextConfig from(const Config& config);
};

}  // namespace waggle::pipeline

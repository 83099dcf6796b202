// What a picture needs in memory beside the weights, known before it is begun: one UNet call, one decode, one
// encode, per size, rows and implementation.
//
// The estimates follow the tensors that the models hold at each place. They are upper ones: measured peaks
// lie between the half of an estimate and the whole of it (tests/pipeline/engine/memory_estimate_test.cpp).
#pragma once

#include <cstdint>
#include <optional>

#include "pipeline/models/unet_config.h"
#include "pipeline/models/vae_tiling.h"
#include "pipeline/ops/ops.h"

namespace waggle::pipeline {

/// How an implementation of the operations spends memory.
struct ActivationKind {
  std::int64_t element_bytes = 4;
  bool fused = false;        ///< norms, SiLU and GEGLU in one go, attention without scores: our own kernels
  bool plain_norms = false;  ///< not the norms: tiles share moments, by libtorch's plain operations

  static ActivationKind of(const ops::Operations& operations);
};

/// One call over `rows` latents (two per guided image) of height x width cells.
std::int64_t unet_call_bytes(const UNetConfig& config, std::int64_t rows, std::int64_t height,
                             std::int64_t width, const ActivationKind& kind);

/// One picture of height x width cells, in one piece or tiled, with the picture itself.
std::int64_t decode_bytes(const VaeConfig& config, std::int64_t height, std::int64_t width,
                          const ActivationKind& kind, const std::optional<VaeTiling>& tiling = {});
std::int64_t encode_bytes(const VaeConfig& config, std::int64_t height, std::int64_t width,
                          const ActivationKind& kind, const std::optional<VaeTiling>& tiling = {});

}  // namespace waggle::pipeline

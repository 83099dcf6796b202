// CLIP's text encoder (Radford et al. 2021) as SD 1.x, 2.x and SDXL use it, named as transformers'
// CLIPTextModel.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "pipeline/models/clip_text_config.h"
#include "pipeline/models/layers.h"

namespace waggle::pipeline {

/// What the encoder computed for a batch of prompts.
struct TextStates {
  std::vector<at::Tensor>
      hidden;            ///< [layers + 1] of [B, L, C]: embeddings, then after each layer; no final norm
  at::Tensor last;       ///< [B, L, C]: after the final layer norm
  at::Tensor pooled;     ///< [B, C]: `last` at the end-of-text position
  at::Tensor projected;  ///< [B, P]: pooled through text_projection; undefined without one
};

/// Vectors that take the places of token embeddings. **Shape**: [n, C], for places `position` on.
struct TokenReplacement {
  std::int64_t position = 0;
  at::Tensor vectors;
};

class ClipText {
 public:
  ClipText(const Builder& build, const ClipTextConfig& config);

  /// **Shape**: ids [B, L] int64, L at most the position count. **Errors**: throws when an id is outside the
  /// vocabulary. `replacements`: within L, the same in each row.
  /// **Source**: golden `text_encoder.*`.
  [[nodiscard]] TextStates forward(const at::Tensor& ids,
                                   const std::vector<TokenReplacement>& replacements = {}) const;
  /// The hidden state `skip` layers before the last, through the final layer norm (what clip_skip means for
  /// SD 1.x, 2.x).
  [[nodiscard]] at::Tensor skipped(const TextStates& states, int skip) const;
  [[nodiscard]] const ClipTextConfig& config() const { return config_; }

 private:
  struct Layer {
    LayerNorm layer_norm1;
    Linear q_proj, k_proj, v_proj, out_proj;
    LayerNorm layer_norm2;
    Linear fc1, fc2;
  };
  [[nodiscard]] at::Tensor run(const Layer& layer, const at::Tensor& x) const;
  [[nodiscard]] at::Tensor end_positions(const at::Tensor& ids) const;

  ClipTextConfig config_;
  const ops::Operations* ops_;
  at::Tensor token_embedding_, position_embedding_;
  std::vector<Layer> layers_;
  LayerNorm final_layer_norm_;
  std::optional<Linear> text_projection_;
};

}  // namespace waggle::pipeline

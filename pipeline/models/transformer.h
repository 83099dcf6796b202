// The spatial transformer of the UNet: self attention, cross attention to the text, GEGLU feed-forward
// (Rombach et al. 2022, appendix E), named as diffusers' Transformer2DModel.
#pragma once

#include <vector>

#include "pipeline/models/layers.h"
#include "pipeline/models/token_merging.h"

namespace waggle::pipeline {

/// Keys and values of one cross attention: [B, L, C] each. Computed once per job, not once per step.
struct KeysValues {
  at::Tensor k, v;
};

class TransformerBlock {
 public:
  TransformerBlock(const Builder& build, std::int64_t width, int heads, std::int64_t context_width);

  [[nodiscard]] KeysValues prepare(const at::Tensor& context) const;
  /// **Shape**: x [B, h*w, C] -> the same. `merging`: self attention sees fewer tokens; null: all of them.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, const KeysValues& text,
                                   const TokenMerging* merging = nullptr) const;

 private:
  struct Attention {
    Linear to_q, to_k, to_v, to_out;
  };
  static Attention attention(const Builder& build, std::int64_t width, std::int64_t context_width);
  [[nodiscard]] at::Tensor attend_to_itself(const at::Tensor& x, const TokenMerging* merging) const;

  const ops::Operations* ops_;
  int heads_;
  LayerNorm norm1_;
  Attention attn1_;
  LayerNorm norm2_;
  Attention attn2_;
  LayerNorm norm3_;
  Linear ff_in_, ff_out_;
};

class Transformer2D {
 public:
  Transformer2D(const Builder& build, std::int64_t channels, int heads, int layers,
                std::int64_t context_width, int groups, bool linear_projection);

  /// Appends the keys and values of each block, in order of use. **Shape**: context [B, L, context_width].
  void prepare(const at::Tensor& context, std::vector<KeysValues>& out) const;
  /// Uses and advances past its blocks' entries. **Shape**: x [B, C, h, w] -> the same. `merged`: share of
  /// the tokens that is merged before self attention.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, std::vector<KeysValues>::const_iterator& text,
                                   double merged = 0.0) const;
  /// Entries that it uses.
  [[nodiscard]] std::ptrdiff_t entries() const { return static_cast<std::ptrdiff_t>(blocks_.size()); }

 private:
  GroupNorm norm_;
  Linear proj_in_;
  std::vector<TransformerBlock> blocks_;
  Linear proj_out_;
};

}  // namespace waggle::pipeline

// Spatial transformer.
#include "pipeline/models/transformer.h"

#include <optional>

namespace waggle::pipeline {

TransformerBlock::Attention TransformerBlock::attention(const Builder& build, std::int64_t width,
                                                        std::int64_t context_width) {
  return {build.linear("to_q", width, width, false), build.linear("to_k", context_width, width, false),
          build.linear("to_v", context_width, width, false), build.linear("to_out.0", width, width)};
}

TransformerBlock::TransformerBlock(const Builder& build, std::int64_t width, int heads,
                                   std::int64_t context_width)
    : ops_(&build.ops()),
      heads_(heads),
      norm1_(build.layer_norm("norm1", width)),
      attn1_(attention(build / "attn1", width, width)),
      norm2_(build.layer_norm("norm2", width)),
      attn2_(attention(build / "attn2", width, context_width)),
      norm3_(build.layer_norm("norm3", width)),
      ff_in_(build.geglu_linear("ff.net.0.proj", width, 4 * width)),
      ff_out_(build.linear("ff.net.2", 4 * width, width)) {}

KeysValues TransformerBlock::prepare(const at::Tensor& context) const {
  return {attn2_.to_k(context), attn2_.to_v(context)};
}

at::Tensor TransformerBlock::attend_to_itself(const at::Tensor& input, const TokenMerging* merging) const {
  const auto attend = [this](const at::Tensor& a, const at::Tensor& residual) {
    return attn1_.to_out(ops_->attention(attn1_.to_q(a), attn1_.to_k(a), attn1_.to_v(a), heads_, false),
                         residual);
  };
  const at::Tensor a = norm1_(input);
  if (merging == nullptr) return attend(a, input);
  const auto matching = merging->match(input);
  return input + TokenMerging::unmerge(attend(merging->merge(a, matching), {}), matching);
}

at::Tensor TransformerBlock::forward(const at::Tensor& input, const KeysValues& text,
                                     const TokenMerging* merging) const {
  at::Tensor x = attend_to_itself(input, merging);
  const at::Tensor a = norm2_(x);
  x = attn2_.to_out(ops_->attention(attn2_.to_q(a), text.k, text.v, heads_, false), x);
  return ff_out_(ff_in_(norm3_(x)), x);
}

Transformer2D::Transformer2D(const Builder& build, std::int64_t channels, int heads, int layers,
                             std::int64_t context_width, int groups, bool linear_projection)
    : norm_(build.group_norm("norm", channels, groups, 1e-6)),
      proj_in_(build.pointwise("proj_in", channels, channels, !linear_projection)),
      proj_out_(build.pointwise("proj_out", channels, channels, !linear_projection)) {
  for (int i = 0; i < layers; ++i)
    blocks_.emplace_back(build / "transformer_blocks" / i, channels, heads, context_width);
}

void Transformer2D::prepare(const at::Tensor& context, std::vector<KeysValues>& out) const {
  for (const auto& block : blocks_) out.push_back(block.prepare(context));
}

at::Tensor Transformer2D::forward(const at::Tensor& x, std::vector<KeysValues>::const_iterator& text,
                                  double merged) const {
  const std::int64_t batch = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
  // A view where the layout is channels-last already.
  const auto tokens = [&](const at::Tensor& map) {
    return map.permute({0, 2, 3, 1}).reshape({batch, height * width, channels});  // [B, h*w, C]
  };
  at::Tensor h = proj_in_(tokens(norm_(x)));
  std::optional<TokenMerging> merging;
  if (merged > 0) merging.emplace(height, width, merged);
  const TokenMerging* const used = merging && merging->any() ? &*merging : nullptr;
  for (const auto& block : blocks_) h = block.forward(h, *text++, used);
  return proj_out_(h, tokens(x))
      .view({batch, height, width, channels})
      .permute({0, 3, 1, 2});  // [B, C, h, w]
}

}  // namespace waggle::pipeline

// CLIP text encoder: pre-norm transformer with a causal mask; padding is attended to, as the models were
// trained.
#include "pipeline/models/clip_text.h"

#include <stdexcept>

#include <ATen/Functions.h>

namespace waggle::pipeline {

ClipText::ClipText(const Builder& root, const ClipTextConfig& config)
    : config_(config),
      ops_(&root.ops()),
      token_embedding_(
          root.constant("text_model.embeddings.token_embedding.weight", {config.vocabulary, config.width})),
      position_embedding_(
          root.constant("text_model.embeddings.position_embedding.weight", {config.positions, config.width})),
      final_layer_norm_(root.layer_norm("text_model.final_layer_norm", config.width, config.norm_eps)) {
  const std::int64_t width = config.width;
  for (int i = 0; i < config.layers; ++i) {
    const Builder layer = root / "text_model.encoder.layers" / i;
    const Builder attention = layer / "self_attn";
    layers_.push_back({
        layer.layer_norm("layer_norm1", width, config.norm_eps),
        attention.linear("q_proj", width, width),
        attention.linear("k_proj", width, width),
        attention.linear("v_proj", width, width),
        attention.linear("out_proj", width, width),
        layer.layer_norm("layer_norm2", width, config.norm_eps),
        layer.linear("mlp.fc1", width, config.mlp_width),
        layer.linear("mlp.fc2", config.mlp_width, width),
    });
  }
  if (config.projection_width > 0)
    text_projection_ = root.linear("text_projection", width, config.projection_width, /*bias=*/false);
}

at::Tensor ClipText::run(const Layer& layer, const at::Tensor& x) const {
  const at::Tensor a = layer.layer_norm1(x);
  const at::Tensor mixed = ops_->attention(layer.q_proj(a), layer.k_proj(a), layer.v_proj(a),
                                           static_cast<int>(config_.heads), /*causal=*/true);
  const at::Tensor y = x + layer.out_proj(mixed);
  const at::Tensor hidden = layer.fc1(layer.layer_norm2(y));
  return y + layer.fc2(config_.quick_gelu ? ops_->quick_gelu(hidden) : ops_->gelu(hidden));
}

at::Tensor ClipText::end_positions(const at::Tensor& ids) const {
  // Old configurations say 2 whatever the vocabulary: then the end-of-text id is the largest one.
  if (config_.eos_token_id == 2) return ids.argmax(-1);
  return ids.eq(config_.eos_token_id).to(at::kInt).argmax(-1);
}

TextStates ClipText::forward(const at::Tensor& ids, const std::vector<TokenReplacement>& replacements) const {
  if (ids.numel() > 0 &&
      (ids.min().item<std::int64_t>() < 0 || ids.max().item<std::int64_t>() >= config_.vocabulary))
    throw std::runtime_error("the tokenizer's vocabulary is larger than the text encoder's");
  const at::Tensor on_device = ids.to(ops_->activations().device());
  TextStates states;
  at::Tensor x = at::embedding(token_embedding_, on_device);  // [B, L, C]
  for (const auto& [position, vectors] : replacements)
    x.narrow(1, position, vectors.size(0)).copy_(vectors.unsqueeze(0));
  x = x + position_embedding_.narrow(0, 0, ids.size(1));
  states.hidden.push_back(x);
  for (const Layer& layer : layers_) states.hidden.push_back(x = run(layer, x));
  states.last = final_layer_norm_(x);
  const at::Tensor row = at::arange(ids.size(0), on_device.options());
  states.pooled = states.last.index({row, end_positions(on_device)});
  if (text_projection_) states.projected = (*text_projection_)(states.pooled);
  return states;
}

at::Tensor ClipText::skipped(const TextStates& states, int skip) const {
  const auto layers = static_cast<int>(layers_.size());
  if (skip < 0 || skip > layers)
    throw std::runtime_error("clip_skip is larger than the text encoder has layers");
  return final_layer_norm_(states.hidden[layers - skip]);
}

}  // namespace waggle::pipeline

// From prompts to what the UNet attends to: chunks of 77 ids through each text encoder, emphasis multiplied
// in.
#include <ATen/Functions.h>

#include "pipeline/models/stable_diffusion.h"

namespace waggle::pipeline {
namespace {

const std::string& second(const std::string& own, const std::string& first) {
  return own.empty() ? first : own;
}

/// Emphasis as AUTOMATIC1111 defines it: states times weights, then scaled so that the chunk keeps its mean.
at::Tensor emphasize(const at::Tensor& states, const PromptChunk& chunk) {
  if (chunk.is_plain()) return states;
  const at::Tensor weights = at::tensor(chunk.weights).view({1, -1, 1}).to(states.device());
  const at::Tensor weighted = states * weights;
  return weighted * (states.mean() / weighted.mean());
}

at::Tensor row_of(const std::vector<std::int32_t>& ids) {
  at::Tensor row = at::empty({1, static_cast<std::int64_t>(ids.size())}, at::kLong);
  std::copy(ids.begin(), ids.end(), row.data_ptr<std::int64_t>());
  return row;
}

}  // namespace

at::Tensor StableDiffusion::state_of(const ClipText& encoder, const TextStates& states, int clip_skip) const {
  if (!is_sdxl()) return clip_skip == 0 ? states.last : encoder.skipped(states, clip_skip);
  // SDXL takes the last but one state of each encoder, without the final norm; clip_skip goes further back.
  const int layer = static_cast<int>(states.hidden.size()) - 2 - clip_skip;
  if (layer < 0) throw std::runtime_error("clip_skip is larger than the text encoder has layers");
  return states.hidden[static_cast<std::size_t>(layer)];
}

StableDiffusion::Encoded StableDiffusion::encode_chunks(const std::vector<Chunks>& per_encoder,
                                                        int clip_skip) const {
  Encoded encoded;
  std::vector<at::Tensor> widths;
  for (std::size_t i = 0; i < text_encoders_.size(); ++i) {
    const ClipText& encoder = text_encoders_[i];
    std::vector<at::Tensor> chunks;
    for (const PromptChunk& chunk : per_encoder[i]) {
      const TextStates states = encoder.forward(row_of(chunk.ids));
      chunks.push_back(emphasize(state_of(encoder, states, clip_skip).to(at::kFloat), chunk));
      // The pooled text is that of the first chunk, of the last encoder that has a projection.
      if (chunks.size() == 1 && states.projected.defined()) encoded.pooled = states.projected.to(at::kFloat);
    }
    widths.push_back(at::cat(chunks, 1));  // [1, 77 * chunks, C_i]
  }
  encoded.text = at::cat(widths, -1);
  return encoded;
}

Conditioning StableDiffusion::encode(const Prompts& prompts) const {
  const bool zeros = is_sdxl() && zeros_for_empty_negative_ && !prompts.negative;
  const std::string negative_text = prompts.negative.value_or("");
  std::vector<Chunks> positive, negative;
  for (std::size_t i = 0; i < tokenizers_.size(); ++i) {
    const bool first = i == 0;
    positive.push_back(chunk_prompt(tokenizers_[i],
                                    first ? prompts.positive : second(prompts.positive_2, prompts.positive),
                                    prompts.syntax));
    negative.push_back(chunk_prompt(
        tokenizers_[i], first ? negative_text : second(prompts.negative_2, negative_text), prompts.syntax));
  }
  // Both sides, and both encoders, need the same number of chunks.
  for (std::size_t round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < tokenizers_.size(); ++i) {
      equalize(tokenizers_[i], positive[i], negative[i]);
      equalize(tokenizers_[i], positive[0], positive[i]);
    }

  const Encoded with = encode_chunks(positive, prompts.clip_skip);
  Encoded without;
  if (zeros) {
    without.text = at::zeros_like(with.text);
    if (with.pooled.defined()) without.pooled = at::zeros_like(with.pooled);
  } else {
    without = encode_chunks(negative, 0);
  }
  Conditioning out{with.text, without.text, with.pooled, without.pooled, {}};
  if (is_sdxl()) {
    const auto& [original, crop, target] = prompts.sizes;
    std::vector<float> ids;
    for (const auto& pair : {original, crop, target})
      for (const int value : pair) ids.push_back(static_cast<float>(value));
    out.sizes = at::tensor(ids).unsqueeze(0);  // [1, 6]
  }
  return out;
}

}  // namespace waggle::pipeline

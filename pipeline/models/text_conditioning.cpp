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

constexpr std::int64_t kScoredNumbers = 5;  // of the refiner; all others take 6

/// **Shape**: -> [1, 6], or [1, 5] with the score.
at::Tensor numbers(const SizeConditioning& sizes, bool scored, float score) {
  std::vector<float> all;
  for (const auto& pair : {sizes.original, sizes.crop, sizes.target})
    for (const int value : pair) all.push_back(static_cast<float>(value));
  if (scored) {
    all.resize(kScoredNumbers - 1);
    all.push_back(score);
  }
  return at::tensor(all).unsqueeze(0);
}

at::Tensor row_of(const std::vector<std::int32_t>& ids) {
  at::Tensor row = at::empty({1, static_cast<std::int64_t>(ids.size())}, at::kLong);
  std::copy(ids.begin(), ids.end(), row.data_ptr<std::int64_t>());
  return row;
}

/// All that an encoder's answer depends on. Weights are not in it: they are multiplied in later.
std::string chunk_key(const std::string& identity, std::size_t encoder, const PromptChunk& chunk,
                      int clip_skip, const std::vector<PromptEmbedding>& embeddings) {
  std::string key = identity;
  key += '\n' + std::to_string(encoder) + ' ' + std::to_string(clip_skip);
  for (const EmbeddingSpan& span : chunk.embeddings)
    key += ' ' + std::to_string(span.position) + '=' + embeddings[span.embedding].content;
  key += '\n';
  key.append(reinterpret_cast<const char*>(chunk.ids.data()), chunk.ids.size() * sizeof chunk.ids[0]);
  return key;
}

}  // namespace

at::Tensor StableDiffusion::state_of(const ClipText& encoder, const TextStates& states, int clip_skip) const {
  if (!is_sdxl()) return clip_skip == 0 ? states.last : encoder.skipped(states, clip_skip);
  // SDXL takes the last but one state of each encoder, without the final norm; clip_skip goes further back.
  const int layer = static_cast<int>(states.hidden.size()) - 2 - clip_skip;
  if (layer < 0) throw std::runtime_error("clip_skip is larger than the text encoder has layers");
  return states.hidden[static_cast<std::size_t>(layer)];
}

EncodingCache::Entry StableDiffusion::run_encoder(std::size_t i, const PromptChunk& chunk, int clip_skip,
                                                  const Embeddings& embeddings) const {
  const ClipText& encoder = (*text_encoders_)[i];
  std::vector<TokenReplacement> replacements;
  for (const EmbeddingSpan& span : chunk.embeddings)
    replacements.push_back(
        {static_cast<std::int64_t>(span.position), embeddings[span.embedding].vectors.at(i)});
  const TextStates states = encoder.forward(row_of(chunk.ids), replacements);
  return {state_of(encoder, states, clip_skip).to(at::kFloat),
          states.projected.defined() ? states.projected.to(at::kFloat) : at::Tensor()};
}

StableDiffusion::Encoded StableDiffusion::encode_chunks(const std::vector<Chunks>& per_encoder, int clip_skip,
                                                        const EncodeChunk& encode_chunk) const {
  Encoded encoded;
  std::vector<at::Tensor> widths;
  for (std::size_t i = 0; i < per_encoder.size(); ++i) {
    std::vector<at::Tensor> chunks;
    for (const PromptChunk& chunk : per_encoder[i]) {
      const EncodingCache::Entry entry = encode_chunk(i, chunk, clip_skip);
      chunks.push_back(emphasize(entry.state, chunk));
      // The pooled text is that of the first chunk, of the last encoder that has a projection.
      if (chunks.size() == 1 && entry.pooled.defined()) encoded.pooled = entry.pooled;
    }
    widths.push_back(at::cat(chunks, 1));  // [1, 77 * chunks, C_i]
  }
  encoded.text = at::cat(widths, -1);
  return encoded;
}

Conditioning StableDiffusion::encode(const Prompts& prompts) const {
  return encode(prompts, [&](std::size_t i, const PromptChunk& chunk, int clip_skip) {
    return run_encoder(i, chunk, clip_skip, prompts.embeddings);
  });
}

Conditioning StableDiffusion::encode(const Prompts& prompts, EncodingCache& cache,
                                     const std::string& identity) const {
  return encode(prompts, [&](std::size_t i, const PromptChunk& chunk, int clip_skip) {
    std::string key = chunk_key(identity, i, chunk, clip_skip, prompts.embeddings);
    if (auto known = cache.find(key)) return *std::move(known);
    EncodingCache::Entry entry = run_encoder(i, chunk, clip_skip, prompts.embeddings);
    cache.put(std::move(key), entry);
    return entry;
  });
}

Conditioning StableDiffusion::encode(const Prompts& prompts, const EncodeChunk& encode_chunk) const {
  const bool zeros = is_sdxl() && zeros_for_empty_negative_ && !prompts.negative;
  const std::string negative_text = prompts.negative.value_or("");
  std::vector<EmbeddingName> names;
  for (const auto& embedding : prompts.embeddings)
    names.push_back({embedding.name, static_cast<std::size_t>(embedding.vectors.at(0).size(0))});
  std::vector<Chunks> positive, negative;
  for (std::size_t i = 0; i < tokenizers_.size(); ++i) {
    const bool first = i == 0;
    positive.push_back(chunk_prompt(tokenizers_[i],
                                    first ? prompts.positive : second(prompts.positive_2, prompts.positive),
                                    prompts.syntax, names));
    negative.push_back(chunk_prompt(tokenizers_[i],
                                    first ? negative_text : second(prompts.negative_2, negative_text),
                                    prompts.syntax, names));
  }
  // Both sides, and both encoders, need the same number of chunks.
  for (std::size_t round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < tokenizers_.size(); ++i) {
      equalize(tokenizers_[i], positive[i], negative[i]);
      equalize(tokenizers_[i], positive[0], positive[i]);
    }

  const Encoded with = encode_chunks(positive, prompts.clip_skip, encode_chunk);
  Encoded without;
  if (zeros) {
    without.text = at::zeros_like(with.text);
    if (with.pooled.defined()) without.pooled = at::zeros_like(with.pooled);
  } else {
    without = encode_chunks(negative, 0, encode_chunk);
  }
  Conditioning out{with.text, without.text, with.pooled, without.pooled, {}};
  if (is_sdxl()) {
    const UNetConfig& unet = unet_->config();
    const bool scored = unet.added_width - with.pooled.size(1) == kScoredNumbers * unet.added_time_width;
    out.sizes = numbers(prompts.sizes, scored, prompts.sizes.aesthetic_score);
    if (scored) out.sizes_negative = numbers(prompts.sizes, scored, prompts.sizes.negative_aesthetic_score);
  }
  return out;
}

}  // namespace waggle::pipeline

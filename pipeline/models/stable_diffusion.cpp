// Loading the parts of a model, decoding latents. Prompts are encoded in text_conditioning.cpp.
#include "pipeline/models/stable_diffusion.h"

#include <ATen/Functions.h>

namespace waggle::pipeline {
namespace {

/// Left over in checkpoints without meaning anything: buffers that the libraries recompute.
bool is_harmless(const std::string& tensor) {
  return tensor.ends_with("position_ids") || tensor.ends_with("logit_scale");
}

void collect_unused(const WeightSource& weights, const char* part, std::vector<std::string>* unused) {
  if (unused == nullptr) return;
  for (const auto& name : weights.unused())
    if (!is_harmless(name)) unused->push_back(std::string(part) + "/" + name);
}

}  // namespace

StableDiffusion::StableDiffusion(const ModelFiles& files, ModelOperations operations,
                                 std::vector<std::string>* unused, std::shared_ptr<const LoadedVae> vae,
                                 WeightCache* cache)
    : operations_(std::move(operations)),
      vae_(std::move(vae)),
      zeros_for_empty_negative_(files.force_zeros_for_empty_prompt) {
  auto scheduler = parse_scheduler_config(files.scheduler_json);
  if (!scheduler) throw LoadError("scheduler_config.json: " + scheduler.error().message);
  scheduler_ = std::move(*scheduler);

  for (const auto& [dir, pad] : files.tokenizers) {
    auto tokenizer = Tokenizer::load(dir);
    if (!tokenizer) throw LoadError(tokenizer.error().message);
    tokenizers_.push_back(pad ? tokenizer->with_pad(*pad) : std::move(*tokenizer));
  }
  std::vector<ClipText> encoders;
  for (const auto& part : files.text_encoders) {
    const PartWeights weights(part, *operations_.text, cache);
    const auto config = ClipTextConfig::from(part.config);
    encoders.emplace_back(weights.build(*operations_.text), config);
    weights.loaded();
    collect_unused(weights.source(), "text_encoder", unused);
    bytes_ += part.bytes;
  }
  for (std::size_t i = 0; i < tokenizers_.size(); ++i)
    if (static_cast<std::int64_t>(tokenizers_[i].vocabulary_size()) > encoders[i].config().vocabulary)
      throw LoadError("the tokenizer's vocabulary is larger than the text encoder's");
  text_encoders_ = std::make_shared<const std::vector<ClipText>>(std::move(encoders));

  const PartWeights unet_weights(files.unet, *operations_.unet, cache);
  unet_ = std::make_shared<const UNet>(unet_weights.build(*operations_.unet),
                                       UNetConfig::from(files.unet.config));
  unet_weights.loaded();
  collect_unused(unet_weights.source(), "unet", unused);

  bytes_ += files.unet.bytes;
  if (!vae_) vae_ = std::make_shared<const LoadedVae>(files.vae, operations_.vae, unused, cache);

  std::int64_t text_width = 0;
  for (const auto& encoder : *text_encoders_) text_width += encoder.config().width;
  if (text_width != unet_->config().context_width)
    throw LoadError("the text encoders' width " + std::to_string(text_width) +
                    " is not the UNet's cross_attention_dim " +
                    std::to_string(unet_->config().context_width));
}

StableDiffusion StableDiffusion::with_vae(std::shared_ptr<const LoadedVae> vae) const {
  StableDiffusion other = *this;
  other.vae_ = std::move(vae);
  return other;
}

at::Tensor StableDiffusion::decode(const at::Tensor& latents) const {
  const at::Tensor image = vae_->decoder().forward(latents / vae_config().scaling_factor);
  return at::clamp(image / 2 + 0.5, 0.0, 1.0).to(at::kCPU);
}

}  // namespace waggle::pipeline

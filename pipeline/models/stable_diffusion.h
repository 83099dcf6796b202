// One loaded Stable Diffusion model: tokenizers, text encoders, UNet, VAE and the noise it was trained with.
//
// Immutable after loading, so that any number of jobs share it. Does no sampling: that is pipeline/engine.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/models/clip_text.h"
#include "pipeline/models/encoding_cache.h"
#include "pipeline/models/loaded_vae.h"
#include "pipeline/models/model_files.h"
#include "pipeline/models/unet.h"
#include "pipeline/schedules/scheduler_config.h"
#include "pipeline/text/prompt.h"
#include "pipeline/text/tokenizer.h"

namespace waggle::pipeline {

/// The text (and SDXL's sizes) of one job as the UNet takes it, fp32 on the CPU or the model's device.
struct Conditioning {
  at::Tensor positive, negative;                ///< [1, L, C]
  at::Tensor pooled_positive, pooled_negative;  ///< [1, P]; SDXL only
  at::Tensor sizes;                             ///< [1, 6]; SDXL only; [1, 5] for its refiner
  at::Tensor sizes_negative = {};               ///< undefined: the same
};

/// What SDXL is told of the picture it stands for. **Unit**: pixels; {height, width} or {top, left}. The
/// refiner is told how beautiful a picture is instead of its target size.
struct SizeConditioning {
  std::array<int, 2> original{1024, 1024}, crop{0, 0}, target{1024, 1024};
  float aesthetic_score = 6.0F, negative_aesthetic_score = 2.5F;
};

/// A textual-inversion embedding that the prompts may name.
struct PromptEmbedding {
  std::string name;
  std::string content;              ///< equal for equal vectors
  std::vector<at::Tensor> vectors;  ///< [n, width] fp32 for each text encoder
};

struct Prompts {
  std::string positive;
  std::optional<std::string> negative;  ///< SDXL tells absent from empty
  int clip_skip = 0;  ///< layers skipped at the end, positive prompt only, as diffusers counts
  std::string positive_2, negative_2;  ///< SDXL: for the second encoder; empty: the same as the first's
  SizeConditioning sizes;              ///< SDXL
  PromptSyntax syntax = PromptSyntax::plain;
  std::vector<PromptEmbedding> embeddings;
};

/// Which implementation runs which part.
struct ModelOperations {
  std::shared_ptr<const ops::Operations> text, unet, vae;
};

class StableDiffusion {
 public:
  /// Throws LoadError naming file and tensor. `unused` collects tensors of the files that the model did not
  /// take. With `vae` the VAE of the files is not loaded. `cache`: of weights as the operations take them;
  /// null: all are made anew.
  StableDiffusion(const ModelFiles& files, ModelOperations operations,
                  std::vector<std::string>* unused = nullptr, std::shared_ptr<const LoadedVae> vae = {},
                  WeightCache* cache = nullptr);

  /// The same model with another VAE; everything else is shared.
  [[nodiscard]] StableDiffusion with_vae(std::shared_ptr<const LoadedVae> vae) const;

  /// **Shape**: see Conditioning. **Source**: golden `text_encoder*.*`, `tokens*.input_ids`.
  [[nodiscard]] Conditioning encode(const Prompts& prompts) const;
  /// The same, remembering the encoders' answers. `identity`: equal for text encoders that are equal.
  [[nodiscard]] Conditioning encode(const Prompts& prompts, EncodingCache& cache,
                                    const std::string& identity) const;

  /// **Shape**: latents [1, C, h, w], scaled as the sampler leaves them -> [1, 3, H, W] fp32 on the CPU,
  /// 0..1, clamped.
  [[nodiscard]] at::Tensor decode(const at::Tensor& latents) const;
  /// Posterior of a picture in -1..1, before the scaling factor.
  [[nodiscard]] Posterior encode_image(const at::Tensor& image) const {
    return vae_->encoder().forward(image);
  }

  [[nodiscard]] const UNet& unet() const { return *unet_; }
  [[nodiscard]] const VaeDecoder& vae_decoder() const { return vae_->decoder(); }
  [[nodiscard]] const VaeConfig& vae_config() const { return vae_->config(); }
  [[nodiscard]] const std::shared_ptr<const LoadedVae>& vae() const { return vae_; }
  [[nodiscard]] const std::vector<ClipText>& text_encoders() const { return *text_encoders_; }
  [[nodiscard]] const std::vector<Tokenizer>& tokenizers() const { return tokenizers_; }
  [[nodiscard]] const SchedulerConfig& scheduler() const { return scheduler_; }
  [[nodiscard]] bool is_sdxl() const { return unet_->config().added_width > 0; }
  [[nodiscard]] std::int64_t bytes() const {
    return bytes_ + vae_->bytes();
  }  ///< weights in memory, or mapped

 private:
  struct Encoded {
    at::Tensor text, pooled;
  };
  using Chunks = std::vector<PromptChunk>;
  using Embeddings = std::vector<PromptEmbedding>;
  /// One chunk through encoder i: its states, before emphasis.
  using EncodeChunk = std::function<EncodingCache::Entry(std::size_t i, const PromptChunk&, int clip_skip)>;
  [[nodiscard]] Conditioning encode(const Prompts& prompts, const EncodeChunk& encode_chunk) const;
  [[nodiscard]] Encoded encode_chunks(const std::vector<Chunks>& per_encoder, int clip_skip,
                                      const EncodeChunk& encode_chunk) const;
  [[nodiscard]] EncodingCache::Entry run_encoder(std::size_t i, const PromptChunk& chunk, int clip_skip,
                                                 const Embeddings& embeddings) const;
  [[nodiscard]] at::Tensor state_of(const ClipText& encoder, const TextStates& states, int clip_skip) const;

  ModelOperations operations_;
  std::vector<Tokenizer> tokenizers_;
  std::shared_ptr<const std::vector<ClipText>> text_encoders_;
  std::shared_ptr<const UNet> unet_;
  std::shared_ptr<const LoadedVae> vae_;
  SchedulerConfig scheduler_;
  bool zeros_for_empty_negative_ = false;
  std::int64_t bytes_ = 0;  ///< without the VAE
};

}  // namespace waggle::pipeline

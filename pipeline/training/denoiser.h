// The second stage: text encoder and UNet, learning together to take noise out of latents.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "pipeline/models/clip_text.h"
#include "pipeline/models/unet.h"
#include "pipeline/schedules/training_noise.h"
#include "pipeline/text/tokenizer.h"
#include "pipeline/training/parameters.h"
#include "pipeline/training/scene.h"

namespace waggle::training {

/// Latents with the captions that go with them.
struct Lesson {
  at::Tensor latents;    ///< [B, 4, h, w] fp32, scaled
  at::Tensor ids;        ///< [B, L] int64
  at::Tensor noise;      ///< as latents
  at::Tensor timesteps;  ///< [B] int64
  at::Tensor emphasis;   ///< [B, 1, h, w] fp32, what the error of each place counts
};

class Denoiser {
 public:
  Denoiser(std::uint64_t seed, at::ScalarType precision, const pipeline::Tokenizer& tokenizer);

  /// Of both parts, under "text/" and "unet/".
  [[nodiscard]] std::map<std::string, at::Tensor> parameters() const;

  /// New words for each scene, silent of the usual alone (for one in ten none at all, which is what guidance
  /// steers away from), noise, and timesteps spread over the batch, most of them where there is so much noise
  /// that it is still open what is where. The ids are as long as the longest caption and `padding` more,
  /// kTextLength at most.
  [[nodiscard]] Lesson lesson(const at::Tensor& latents, const std::vector<const Scene*>& scenes,
                              std::size_t padding, std::mt19937_64& generator) const;
  /// Squared error of v (Salimans and Ho 2022). Where hardly any noise is left the weight is brought down to
  /// min-SNR's (Hang et al. 2023, gamma 5), because those levels teach nothing about words. Errors in the
  /// figures' boxes count for more: most of a picture is ground, which is learnt in minutes. The best answer
  /// at a place does not depend on what the place counts.
  [[nodiscard]] at::Tensor loss(const Lesson& lesson) const;

 private:
  Parameters text_parameters_, unet_parameters_;
  std::shared_ptr<const pipeline::ops::Operations> operations_;
  pipeline::Tokenizer tokenizer_;
  pipeline::ClipText text_;
  pipeline::UNet unet_;
  at::Tensor alpha_bar_;  // [timesteps] fp32
};

}  // namespace waggle::training

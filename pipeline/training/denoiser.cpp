// Lessons and their loss.
#include "pipeline/training/denoiser.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "pipeline/models/config.h"
#include "pipeline/training/describe.h"
#include "pipeline/training/dice.h"
#include "pipeline/training/mixed_operations.h"
#include "pipeline/training/pictures.h"
#include "pipeline/training/reading.h"
#include "pipeline/training/recipe.h"

namespace waggle::training {
namespace {

using pipeline::Builder;

constexpr double kWordless = 0.1, kSnrLimit = 5.0;
constexpr double kFigureCounts = 3.0;  ///< as often as ground
constexpr double kNoisyShare = 0.7;    ///< of the lessons, those of the noisier half of the timesteps

/// Where `share` of the lessons lies among the timesteps, both 0 .. 1.
double timestep_at(double share) {
  const double quiet = 1 - kNoisyShare;
  return share < quiet ? 0.5 * share / quiet : 0.5 + 0.5 * (share - quiet) / kNoisyShare;
}

at::Tensor alpha_bars() {
  const auto config = pipeline::parse_scheduler_config(scheduler_config().dump());
  if (!config) throw std::runtime_error(config.error().message);
  const pipeline::TrainingNoise noise(*config);
  at::Tensor all = at::empty({noise.size()}, at::kFloat);
  for (int t = 0; t < noise.size(); ++t) all[t] = noise.alpha_bar(t);
  return all;
}

}  // namespace

Denoiser::Denoiser(std::uint64_t seed, at::ScalarType precision, const pipeline::Tokenizer& tokenizer)
    : text_parameters_(seed),
      unet_parameters_(seed),
      operations_(mixed_operations(precision)),
      tokenizer_(tokenizer),
      text_(Builder(text_parameters_, *operations_), clip_config(tokenizer)),
      unet_(Builder(unet_parameters_, *operations_),
            pipeline::UNetConfig::from({unet_config(), "unet/config.json"})),
      alpha_bar_(alpha_bars()) {}

std::map<std::string, at::Tensor> Denoiser::parameters() const {
  std::map<std::string, at::Tensor> all;
  for (const auto& [name, tensor] : text_parameters_.tensors()) all["text/" + name] = tensor;
  for (const auto& [name, tensor] : unet_parameters_.tensors()) all["unet/" + name] = tensor;
  return all;
}

Lesson Denoiser::lesson(const at::Tensor& latents, const std::vector<const Scene*>& scenes,
                        std::size_t padding, std::mt19937_64& generator) const {
  const std::int64_t batch = latents.size(0), levels = alpha_bar_.size(0);
  Dice dice(generator);
  std::vector<std::string> captions;
  for (const Scene* scene : scenes) {
    captions.push_back(describe(*scene, generator, Silence::of_the_usual));
    if (dice.chance(kWordless)) captions.back().clear();
  }
  Lesson out{latents.to(at::kFloat),
             token_rows(tokenizer_, captions, padding),
             {},
             at::empty({batch}, at::kLong),
             emphasis_on_figures(scenes, latents.size(2), kFigureCounts)};
  for (std::int64_t i = 0; i < batch; ++i) {
    const double share = (static_cast<double>(i) + dice.between(0, 1)) / static_cast<double>(batch);
    const double level = timestep_at(share) * static_cast<double>(levels);
    out.timesteps.data_ptr<std::int64_t>()[i] = std::min(static_cast<std::int64_t>(level), levels - 1);
  }
  out.noise = at::randn(latents.sizes(), at::make_generator<at::CPUGeneratorImpl>(generator()),
                        at::TensorOptions(at::kFloat));
  return out;
}

at::Tensor Denoiser::loss(const Lesson& lesson) const {
  const at::Tensor alpha_bar = alpha_bar_.index_select(0, lesson.timesteps).view({-1, 1, 1, 1});
  const at::Tensor signal = alpha_bar.sqrt(), sigma = (1 - alpha_bar).sqrt();
  const at::Tensor noisy = signal * lesson.latents + sigma * lesson.noise;
  const at::Tensor v = signal * lesson.noise - sigma * lesson.latents;
  const auto context = unet_.prepare(text_.forward(lesson.ids).last);
  const at::Tensor error = unet_.forward(noisy, lesson.timesteps.to(at::kFloat), context) - v;
  const at::Tensor snr_plus_one =
      1 / (1 - alpha_bar);  // min-SNR's weight for v is min(SNR, gamma) / (SNR + 1)
  const at::Tensor weight = at::clamp_max(kSnrLimit / snr_plus_one, 1.0);
  return (weight * lesson.emphasis * error.square()).mean();
}

}  // namespace waggle::training

// From a model's scheduler configuration, a sampler's name and a step count to a run: the schedule (noise
// levels and timesteps) and the sampler's coroutine over it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pipeline/samplers/coroutine.h"
#include "pipeline/samplers/noise.h"
#include "pipeline/schedules/scheduler_config.h"
#include "schemas/result.h"

namespace waggle::pipeline {

/// What a caller chooses. Absent: what the model's own scheduler_config.json says.
struct PlanRequest {
  /// Registry name or alias, maybe with a schedule ("DPM++ 2M Karras"). Empty: the model's own.
  std::string sampler{};
  /// Registry name or alias. Empty: the model's own.
  std::string schedule{};
  int steps = 20;
  /// Image to image and inpainting: the share of the schedule that is run, 0..1.
  std::optional<double> strength{};
  /// A run that several models share: this one begins after, and ends at, these shares of the training
  /// timesteps, counted from noise (diffusers' denoising_start and denoising_end). Where one run ends another
  /// one of the same schedule begins.
  std::optional<double> from{}, until{};
  /// DDIM and TCD, 0..1.
  std::optional<double> eta{};
  /// Chooses among levels that were tuned per family of models (Align Your Steps).
  bool sdxl = false;
};

/// A run that can be started for any number of images. Immutable; shared by the images of a job.
class Plan {
 public:
  virtual ~Plan() = default;

  [[nodiscard]] virtual std::string_view sampler() const = 0;   ///< canonical name
  [[nodiscard]] virtual std::string_view schedule() const = 0;  ///< canonical name
  /// Model evaluations that a run makes (PNDM: n + 1, Heun: 2n - 1, ...), after strength has cut it. 0 where
  /// a shared run leaves nothing to this model.
  [[nodiscard]] virtual int evaluations() const = 0;
  /// The run stops at evaluations(), before the schedule's end: its latents are still noisy, and another
  /// model's to go on with.
  [[nodiscard]] virtual bool hands_over() const = 0;
  /// Timesteps handed to the network, one per evaluation.
  [[nodiscard]] virtual const std::vector<double>& timesteps() const = 0;
  /// Noise levels sigma of the whole schedule, [steps + 1]; for alpha-type samplers sqrt((1 - a) / a) of its
  /// timesteps (infinite at a zero-terminal-SNR start).
  [[nodiscard]] virtual const std::vector<double>& sigmas() const = 0;

  /// Unit-variance noise -> the latents that text to image starts from.
  [[nodiscard]] virtual at::Tensor scale_initial_noise(const at::Tensor& noise) const = 0;
  /// Image latents -> the latents that a run of this strength starts from: the image noised to the first
  /// timestep.
  [[nodiscard]] virtual at::Tensor add_noise(const at::Tensor& image_latents,
                                             const at::Tensor& noise) const = 0;
  /// The image noised to the level that holds after evaluation i; the clean image after the last.
  /// Inpainting's blend.
  [[nodiscard]] virtual at::Tensor add_noise_after(const at::Tensor& image_latents, const at::Tensor& noise,
                                                   int evaluation) const = 0;
  /// Latents after evaluation i (in the sampler's own scale) -> an estimate in the VAE's scale, for previews.
  [[nodiscard]] virtual at::Tensor preview_latents(const at::Tensor& latents, int evaluation) const = 0;

  /// Starts a run on one image. `x`: [1, C, h, w] fp32, from one of the two functions above. `noise` and this
  /// plan must outlive the coroutine.
  [[nodiscard]] virtual SamplerCoroutine start(at::Tensor x, NoiseSource& noise) const = 0;
};

/// Errors: unknown_sampler (naming the known ones), invalid_request when the schedule cannot be made (steps,
/// strength).
Result<std::shared_ptr<const Plan>> make_plan(const SchedulerConfig& model, const PlanRequest& request);

}  // namespace waggle::pipeline

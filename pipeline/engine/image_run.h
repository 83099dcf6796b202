// One image on its way from noise to latents: its sampler, its noise, its conditioning, its guidance.
//
// Knows nothing of batches, threads or jobs. The golden runner drives the same class with recorded noise.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include <ATen/core/Tensor.h>

#include "pipeline/engine/context_cache.h"
#include "pipeline/engine/control.h"
#include "pipeline/engine/image_start.h"
#include "pipeline/engine/shortcuts.h"
#include "pipeline/models/stable_diffusion.h"
#include "pipeline/samplers/plan.h"

namespace waggle::pipeline {

/// How the prompt is followed.
struct Guidance {
  double scale = 7.5;  ///< at or below 1 there is no negative pass
  double rescale =
      0.0;  ///< 0..1: share of the guided output that is brought to the positive output's deviation
};

class ImageRun {
 public:
  /// Sees the latents after each model evaluation. **Shape**: [1, C, h, w] fp32.
  using StepHook = std::function<void(int evaluation, const at::Tensor& latents)>;

  /// `noise` has already given what `start` was made of; the sampler goes on drawing from it.
  ImageRun(std::shared_ptr<const Plan> plan, std::shared_ptr<const Conditioning> conditioning,
           Guidance guidance, std::unique_ptr<NoiseSource> noise, ImageStart start, StepHook hook = {},
           std::vector<Control> controls = {}, Shortcuts shortcuts = {});

  /// Runs the sampler to its next question, calling the hook at each step on the way. False: the image has
  /// its latents.
  bool advance();
  [[nodiscard]] const Question& question() const { return sampler_.question(); }
  void answer(at::Tensor prediction) { sampler_.answer(std::move(prediction)); }
  /// After advance() said false. **Shape**: [1, C, h, w] fp32; in the sampler's scale when the plan hands
  /// over.
  [[nodiscard]] const at::Tensor& latents() const { return done_ == 0 ? start_.latents : sampler_.latents(); }
  /// After advance() said false, for a run of another model over the rest of the schedule: the latents with
  /// what blends them, and the noise that goes on. The run is of no use any longer.
  [[nodiscard]] std::pair<ImageStart, std::unique_ptr<NoiseSource>> hand_over();

  /// Whether the question needs a negative row beside the positive one.
  [[nodiscard]] bool guided() const {
    return guidance_.scale > 1.0 && done_ >= shortcuts_.guided_from && done_ < shortcuts_.guided_to;
  }
  [[nodiscard]] const Shortcuts& shortcuts() const { return shortcuts_; }
  /// Whether the question is for the UNet's outermost layers alone, over what its deep levels gave before.
  [[nodiscard]] bool shallow() const;
  /// What the deep levels gave at the last question that was not shallow, for one of the rows.
  [[nodiscard]] const at::Tensor& deep(bool negative) const { return negative ? deep_negative_ : deep_; }
  /// **Shape**: [1, C, h, w] each; `negative` undefined where the question had no such row.
  void keep_deep(at::Tensor positive, at::Tensor negative);
  /// The UNet's input of one row: the question's latents, then the inpainting channels if the model has them.
  [[nodiscard]] at::Tensor unet_input() const;
  /// The controls that act on the question, of which the ControlNets see the latents alone.
  [[nodiscard]] std::vector<const Control*> active_controls() const;
  /// **Source**: Ho and Salimans 2022, equation 6; rescaling: Lin et al. 2023, section 3.4.
  [[nodiscard]] at::Tensor guide(const at::Tensor& negative, const at::Tensor& positive) const;
  [[nodiscard]] const std::shared_ptr<const Conditioning>& conditioning() const { return conditioning_; }
  [[nodiscard]] const Plan& plan() const { return *plan_; }
  [[nodiscard]] int evaluations_done() const { return done_; }

 private:
  std::shared_ptr<const Plan> plan_;
  std::shared_ptr<const Conditioning> conditioning_;
  Guidance guidance_;
  std::unique_ptr<NoiseSource> noise_;
  ImageStart start_;
  StepHook hook_;
  std::vector<Control> controls_;
  Shortcuts shortcuts_;
  at::Tensor deep_, deep_negative_;
  SamplerCoroutine sampler_;
  int done_ = 0;
};

/// Asks the UNet the questions of all runs in one call and hands each its guided answer. The runs wait at a
/// question, share latent size, text length, shortcuts().merged and shallow(). Rows: the negatives of the
/// guided runs, then the positives of all. The ControlNets of the runs are asked first, but not for a shallow
/// question.
void answer_together(const UNet& unet, std::span<ImageRun* const> runs, ContextCache& cache);

}  // namespace waggle::pipeline

// Runs, and the one UNet call that answers many of them.
#include "pipeline/engine/image_run.h"

#include <ATen/Functions.h>

namespace waggle::pipeline {

ImageRun::ImageRun(std::shared_ptr<const Plan> plan, std::shared_ptr<const Conditioning> conditioning,
                   Guidance guidance, std::unique_ptr<NoiseSource> noise, ImageStart start, StepHook hook,
                   std::vector<Control> controls)
    : plan_(std::move(plan)),
      conditioning_(std::move(conditioning)),
      guidance_(guidance),
      noise_(std::move(noise)),
      start_(std::move(start)),
      hook_(std::move(hook)),
      controls_(std::move(controls)),
      sampler_(plan_->start(start_.latents, *noise_)) {}

at::Tensor ImageRun::unet_input() const {
  const at::Tensor& x = question().x;
  return start_.extra_channels.defined() ? at::cat({x, start_.extra_channels}, 1) : x;
}

at::Tensor ImageRun::guide(const at::Tensor& negative, const at::Tensor& positive) const {
  const at::Tensor guided = negative + guidance_.scale * (positive - negative);
  if (guidance_.rescale <= 0.0) return guided;
  const at::Tensor rescaled = guided * (at::std(positive) / at::std(guided));
  return guidance_.rescale * rescaled + (1.0 - guidance_.rescale) * guided;
}

std::pair<ImageStart, std::unique_ptr<NoiseSource>> ImageRun::hand_over() {
  start_.latents = latents();
  return {std::move(start_), std::move(noise_)};
}

bool ImageRun::advance() {
  for (;;) {
    // The sampler would go on with the schedule; what is left of it is another model's.
    if (done_ == plan_->evaluations() && (plan_->hands_over() || done_ == 0)) return false;
    switch (sampler_.advance()) {
      case SamplerCoroutine::Stop::question:
        return true;
      case SamplerCoroutine::Stop::step:
        if (start_.blend.mask.defined())
          sampler_.replace_latents(start_.blend.apply(*plan_, sampler_.latents(), done_));
        if (hook_) hook_(done_, sampler_.latents());
        ++done_;
        break;
      case SamplerCoroutine::Stop::start:
      case SamplerCoroutine::Stop::end:
        return false;
    }
  }
}

std::vector<const Control*> ImageRun::active_controls() const {
  std::vector<const Control*> active;
  for (const Control& control : controls_)
    if (control.active(done_, plan_->evaluations())) active.push_back(&control);
  return active;
}

void answer_together(const UNet& unet, std::span<ImageRun* const> runs, ContextCache& cache) {
  std::vector<at::Tensor> samples;
  std::vector<float> times;
  std::vector<ContextRow> contexts;
  std::vector<ControlledRow> controlled;
  for (const bool negatives : {true, false})
    for (ImageRun* run : runs) {
      if (negatives && !run->guided()) continue;
      samples.push_back(run->unet_input());
      times.push_back(static_cast<float>(run->question().t));
      contexts.push_back({run->conditioning(), negatives});
      controlled.push_back({contexts.back(), run->question().x, run->question().t, run->active_controls()});
    }

  const Residuals residuals = control_residuals(controlled, cache);
  const at::Tensor sample = at::cat(samples);  // [rows, C, h, w]
  const at::Tensor t = at::tensor(times).to(sample.device());
  const at::Tensor out = unet.forward(sample, t, cache.get(unet, std::move(contexts)), residuals);

  const auto guided = static_cast<std::int64_t>(samples.size() - runs.size());
  std::int64_t next_negative = 0, next_positive = guided;
  for (ImageRun* run : runs) {
    const at::Tensor positive = out.narrow(0, next_positive++, 1);
    if (!run->guided()) {
      run->answer(positive.clone());
      continue;
    }
    const at::Tensor without = out.narrow(0, next_negative++, 1);
    run->answer(run->guide(without, positive));
  }
}

}  // namespace waggle::pipeline

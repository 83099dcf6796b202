// Runs, and the one UNet call that answers many of them.
#include "pipeline/engine/image_run.h"

#include <algorithm>

#include <ATen/Functions.h>

namespace waggle::pipeline {

ImageRun::ImageRun(std::shared_ptr<const Plan> plan, std::shared_ptr<const Conditioning> conditioning,
                   Guidance guidance, std::unique_ptr<NoiseSource> noise, ImageStart start, StepHook hook,
                   std::vector<Control> controls, Shortcuts shortcuts)
    : plan_(std::move(plan)),
      conditioning_(std::move(conditioning)),
      guidance_(guidance),
      noise_(std::move(noise)),
      start_(std::move(start)),
      hook_(std::move(hook)),
      controls_(std::move(controls)),
      shortcuts_(shortcuts),
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

bool ImageRun::shallow() const {
  // Where guidance sets in at such a question, the negative half has nothing to go on from yet.
  return shortcuts_.deep_every > 1 && done_ % shortcuts_.deep_every != 0 && deep_.defined() &&
         (deep_negative_.defined() || !guided());
}

void ImageRun::keep_deep(at::Tensor positive, at::Tensor negative) {
  deep_ = std::move(positive);
  deep_negative_ = std::move(negative);
}

std::vector<const Control*> ImageRun::active_controls() const {
  std::vector<const Control*> active;
  for (const Control& control : controls_)
    if (control.active(done_, plan_->evaluations())) active.push_back(&control);
  return active;
}

namespace {

/// One row of the UNet's batch.
struct Row {
  ImageRun* run;
  bool negative;
};

/// A copy, because a view would keep the whole batch in memory.
at::Tensor own_row(const at::Tensor& batch, std::int64_t row) { return batch.narrow(0, row, 1).clone(); }

}  // namespace

void answer_together(const UNet& unet, std::span<ImageRun* const> runs, ContextCache& cache) {
  std::vector<Row> rows;
  for (const bool negative : {true, false})
    for (ImageRun* run : runs)
      if (!negative || run->guided()) rows.push_back({run, negative});

  const bool shallow = runs.front()->shallow();
  std::vector<at::Tensor> samples, deep;
  std::vector<float> times;
  std::vector<ContextRow> contexts;
  std::vector<ControlledRow> controlled;
  for (const auto& [run, negative] : rows) {
    samples.push_back(run->unet_input());
    times.push_back(static_cast<float>(run->question().t));
    contexts.push_back({run->conditioning(), negative});
    if (shallow)
      deep.push_back(run->deep(negative));
    else
      controlled.push_back({contexts.back(), run->question().x, run->question().t, run->active_controls()});
  }

  const Residuals residuals = control_residuals(controlled, cache);
  const at::Tensor sample = at::cat(samples);  // [rows, C, h, w]
  const at::Tensor t = at::tensor(times).to(sample.device());
  const UNetContext& context = cache.get(unet, std::move(contexts));
  const double merged = runs.front()->shortcuts().merged;
  const auto keeps = [](const ImageRun* run) { return run->shortcuts().deep_every > 1; };
  at::Tensor fresh;
  const at::Tensor out = shallow
                             ? unet.outermost(sample, t, context, at::cat(deep), {}, merged)
                             : unet.forward(sample, t, context, residuals, {},
                                            {merged, std::ranges::any_of(runs, keeps) ? &fresh : nullptr});

  std::int64_t next_negative = 0, next_positive = static_cast<std::int64_t>(rows.size() - runs.size());
  for (ImageRun* run : runs) {
    const std::int64_t negative = run->guided() ? next_negative++ : -1, positive = next_positive++;
    if (!shallow && keeps(run))
      run->keep_deep(own_row(fresh, positive), negative < 0 ? at::Tensor() : own_row(fresh, negative));
    run->answer(negative < 0 ? own_row(out, positive)
                             : run->guide(out.narrow(0, negative, 1), out.narrow(0, positive, 1)));
  }
}

}  // namespace waggle::pipeline

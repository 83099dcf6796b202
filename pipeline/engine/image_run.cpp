// Runs, and the one UNet call that answers many of them.
#include "pipeline/engine/image_run.h"

#include <ATen/Functions.h>

namespace waggle::pipeline {

ImageRun::ImageRun(std::shared_ptr<const Plan> plan, std::shared_ptr<const Conditioning> conditioning,
                   Guidance guidance, std::unique_ptr<NoiseSource> noise, ImageStart start, StepHook hook)
    : plan_(std::move(plan)),
      conditioning_(std::move(conditioning)),
      guidance_(guidance),
      noise_(std::move(noise)),
      start_(std::move(start)),
      hook_(std::move(hook)),
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

bool ImageRun::advance() {
  for (;;) {
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

const UNetContext& ContextCache::get(const UNet& unet, std::vector<std::shared_ptr<const Conditioning>> rows,
                                     std::vector<bool> negative) {
  if (&unet == unet_ && rows == rows_ && negative == negative_) return context_;
  std::vector<at::Tensor> text, pooled, sizes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text.push_back(negative[i] ? rows[i]->negative : rows[i]->positive);
    pooled.push_back(negative[i] ? rows[i]->pooled_negative : rows[i]->pooled_positive);
    sizes.push_back(rows[i]->sizes);
  }
  const bool sized = sizes.front().defined();
  context_ = unet.prepare(at::cat(text), sized ? at::cat(pooled) : at::Tensor(),
                          sized ? at::cat(sizes) : at::Tensor());
  unet_ = &unet;
  rows_ = std::move(rows);
  negative_ = std::move(negative);
  return context_;
}

void ContextCache::clear() {
  unet_ = nullptr;
  rows_.clear();
  context_ = {};
}

void answer_together(const UNet& unet, std::span<ImageRun* const> runs, ContextCache& cache) {
  std::vector<at::Tensor> samples;
  std::vector<float> times;
  std::vector<std::shared_ptr<const Conditioning>> rows;
  std::vector<bool> negative;
  for (const bool negatives : {true, false})
    for (ImageRun* run : runs) {
      if (negatives && !run->guided()) continue;
      samples.push_back(run->unet_input());
      times.push_back(static_cast<float>(run->question().t));
      rows.push_back(run->conditioning());
      negative.push_back(negatives);
    }

  const at::Tensor sample = at::cat(samples);  // [rows, C, h, w]
  const at::Tensor t = at::tensor(times);
  const UNetContext& context = cache.get(unet, std::move(rows), std::move(negative));
  const at::Tensor out = unet.forward(sample, t.to(sample.device()), context);

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

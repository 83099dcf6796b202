// What the engine's own thread does, turn by turn.
#include <algorithm>
#include <tuple>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "pipeline/engine/device.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/enlarge.h"
#include "pipeline/engine/failure.h"
#include "pipeline/engine/memory_estimate.h"
#include "pipeline/image/parameters.h"

namespace waggle::pipeline {
namespace {

double seconds(EngineJob::Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

void Pipeline::Engine::run() {
  at::init_num_threads();  // libtorch sets OpenMP's count thread by thread, and oneDNN asks OpenMP
  const c10::InferenceMode no_gradients;
  while (wait_for_work()) turn();
}

/// Takes new jobs out of the inbox. False: the engine stops, everything has ended.
bool Pipeline::Engine::wait_for_work() {
  std::deque<JobPointer> fresh;
  {
    std::unique_lock lock(mutex_);
    if (jobs_.empty()) {
      clock_.set_busy(0);
      contexts_.clear();
      changed_.wait(lock, [this] { return stopping_ || !inbox_.empty(); });
    }
    if (stopping_ && jobs_.empty() && inbox_.empty()) return false;
    fresh.swap(inbox_);
    clock_.set_busy(static_cast<std::int64_t>(jobs_.size() + fresh.size()));
  }
  for (const auto& job : fresh) {
    jobs_.push_back(job);
    try {
      if (!job->cancelled) take_up(job);
    } catch (...) {
      auto failure = failure_of(std::current_exception());
      if (options_.log) options_.log(failure.detail);
      fail(job, std::move(failure.error));
    }
  }
  return true;
}

void Pipeline::Engine::turn() {
  drop_cancelled();
  start_images();
  const auto group = next_group();
  if (!group.empty()) {
    answer(group);
    for (ActiveImage* image : group) move_on(*image);
  }
  std::erase_if(active_, [](const auto& image) { return image->run == nullptr || image->job->ended; });
  for (std::size_t i = 0; i < jobs_.size(); ++i)
    if (const JobPointer job = jobs_[i]; !job->ended && job->finished()) finish_job(job);
  std::erase_if(jobs_, [](const auto& job) { return job->ended; });
}

void Pipeline::Engine::end_cancelled() {
  for (std::size_t i = 0; i < jobs_.size();
       ++i)  // by index: ending a job must not be able to move the others
    if (const JobPointer job = jobs_[i]; job->cancelled && !job->ended)
      fail(job, {ErrorCode::cancelled, "the job was cancelled"});
}

void Pipeline::Engine::drop_cancelled() {
  end_cancelled();
  std::erase_if(active_, [](const auto& image) { return image->job->ended; });
  std::erase_if(jobs_, [](const auto& job) { return job->ended; });
}

VaeBounds Pipeline::Engine::vae_bounds(const EngineJob& job) {
  return {activation_budget(), [this, &job] {
            clock_.progress();
            if (job.cancelled) throw Cancelled();
            end_cancelled();  // others need not wait for this one's tiles
          }};
}

std::int64_t Pipeline::Engine::call_bytes(const Stage& stage, std::int64_t rows) const {
  const StableDiffusion& model = *stage.model->model;
  const std::int64_t factor = model.vae_config().factor();
  return unet_call_bytes(model.unet().config(), rows, stage.height / factor, stage.width / factor,
                         ActivationKind::of(*stage.model->operations.unet));
}

void Pipeline::Engine::start_images() {
  for (const auto& job : jobs_)
    while (!job->ended && !job->pending.empty() &&
           active_.size() < static_cast<std::size_t>(options_.max_batch)) {
      try {
        start_image(job);
      } catch (...) {
        auto failure = failure_of(std::current_exception());
        if (options_.log) options_.log(failure.detail);
        fail(job, std::move(failure.error));
      }
    }
}

void Pipeline::Engine::start_image(const JobPointer& job) {
  auto image = std::make_unique<ActiveImage>();
  image->job = job;
  image->index = job->pending.back();
  image->run = enter_stage(*image);
  job->pending.pop_back();
  ++job->images_in_hand;
  if (image->run->advance() || next_stage(*image))
    active_.push_back(std::move(image));
  else
    finish_image(*image);
}

/// The run of the stage that the image is in now, from what the stage before left.
std::unique_ptr<ImageRun> Pipeline::Engine::enter_stage(ActiveImage& image) {
  const EngineJob& job = *image.job;
  const JobRequest& request = job.resolved.request;
  const Stage& stage = image.stage();
  const StableDiffusion& model = *stage.model->model;
  // A second pass draws as an image_transform of the same seed would.
  std::unique_ptr<NoiseSource> noise = std::make_unique<SeededNoise>(*request.seed + image.index);
  ImageStart start;
  switch (stage.entry) {
    case Stage::Entry::operation: {
      const std::int64_t factor = model.vae_config().factor();
      start = pipeline::start_image(model, *stage.plan, job.source, stage.height / factor,
                                    stage.width / factor, *noise);
      break;
    }
    case Stage::Entry::handed_over:
      std::tie(start, noise) = image.run->hand_over();
      break;
    case Stage::Entry::enlarged: {
      const Hires& hires = *std::get<ImageGeneration>(request.operation).hires;
      start = enlarge(model, *stage.plan, image.run->latents(), hires.upscaler, stage.width, stage.height,
                      hires.strength, *noise, vae_bounds(job));
      break;
    }
  }
  return std::make_unique<ImageRun>(
      stage.plan, stage.conditioning, Guidance{*request.guidance_scale}, std::move(noise), std::move(start),
      [this, &image](int evaluation, const at::Tensor& latents) { after_step(image, evaluation, latents); },
      stage.controls);
}

/// Whether the image has something to ask in one of the stages after the one that it has finished.
bool Pipeline::Engine::next_stage(ActiveImage& image) {
  while (image.place + 1 < image.job->stages.size()) {
    ++image.place;
    image.run = enter_stage(image);
    if (image.run->advance()) return true;
  }
  return false;
}

/// The images that one UNet call can answer: those that fit the one that has waited longest, as many as the
/// budget bears.
std::vector<ActiveImage*> Pipeline::Engine::next_group() {
  std::vector<ActiveImage*> group;
  if (active_.empty()) return group;
  const auto fits = [first = active_.front().get()](const ActiveImage& image) {
    // Models that differ in their VAE alone share the UNet.
    return &image.stage().model->model->unet() == &first->stage().model->model->unet() &&
           image.run->question().x.sizes() == first->run->question().x.sizes() &&
           image.run->conditioning()->positive.sizes() == first->run->conditioning()->positive.sizes();
  };
  const auto others =
      std::stable_partition(active_.begin(), active_.end(), [&](const auto& i) { return fits(*i); });
  const std::int64_t budget = activation_budget();
  std::int64_t rows = 0;
  auto it = active_.begin();
  for (; it != others; ++it) {
    rows += (*it)->run->guided() ? 2 : 1;
    if (!group.empty() && call_bytes((*it)->stage(), rows) > budget) break;
    group.push_back(it->get());
  }
  // The others come first next time, so that groups take turns.
  std::rotate(active_.begin(), it, active_.end());
  return group;
}

void Pipeline::Engine::answer(const std::vector<ActiveImage*>& group) {
  const auto ask = [this](const std::vector<ActiveImage*>& images) {
    std::vector<ImageRun*> runs;
    for (ActiveImage* image : images) runs.push_back(image->run.get());
    const auto begin = StepClock::Clock::now();
    answer_together(images.front()->stage().model->model->unet(), runs, contexts_);
    clock_.record(images.size(), StepClock::Clock::now() - begin);
  };
  try {
    return ask(group);
  } catch (...) {
    if (options_.log) options_.log("a shared step failed: " + failure_of(std::current_exception()).detail);
  }
  // One of them is at fault, or together they are too large: ask again one by one and throw out who fails
  // alone.
  contexts_.clear();
  for (ActiveImage* image : group) {
    if (image->job->ended) continue;
    try {
      ask({image});
    } catch (...) {
      fail(image->job, failure_of(std::current_exception()).error);
    }
  }
}

void Pipeline::Engine::move_on(ActiveImage& image) {
  if (image.job->ended) {
    image.run.reset();
    return;
  }
  try {
    if (!image.run->advance() && !next_stage(image)) finish_image(image);
  } catch (...) {
    auto failure = failure_of(std::current_exception());
    if (options_.log) options_.log(failure.detail);
    fail(image.job, std::move(failure.error));
    image.run.reset();
  }
}

void Pipeline::Engine::after_step(const ActiveImage& image, int evaluation, const at::Tensor& latents) {
  EngineJob& job = *image.job;
  const Plan& plan = *image.stage().plan;
  ++job.evaluations_done;
  const auto& callbacks = job.job.callbacks;
  if (callbacks.progress) callbacks.progress(job.evaluations_done, job.evaluations_total);
  const auto every = job.job.request.preview_every;
  const bool is_last = evaluation + 1 >= plan.evaluations() && image.place + 1 == job.stages.size();
  if (!callbacks.preview || !every || (evaluation + 1) % *every != 0 || is_last) return;
  Picture picture = previews_->render(*image.stage().model, plan.preview_latents(latents, evaluation));
  finisher_.post([callback = callbacks.preview, picture = std::move(picture), index = image.index,
                  step = job.evaluations_done, total = job.evaluations_total] {
    callback(Preview{index, step, total, OutputFormat::jpeg, encode(picture, OutputFormat::jpeg)});
  });
}

void Pipeline::Engine::finish_image(ActiveImage& image) {
  EngineJob& job = *image.job;
  const auto begin = EngineJob::Clock::now();
  const StableDiffusion& model = *image.stage().model->model;
  Picture picture = to_picture(decode_within(model, image.run->latents(), vae_bounds(job)));
  if (const auto& back = job.paste_back) picture = paste(back->original, picture, back->mask, back->area);
  job.decode_s += seconds(EngineJob::Clock::now() - begin);
  image.run.reset();
  --job.images_in_hand;
  clock_.progress();

  const JobRequest& r = job.resolved.request;
  ImageInfo info{image.index, *r.seed + image.index, r.output_format, picture.width, picture.height, 0};
  const bool second_pass = job.resolved.passes.size() > 1;  // readers expect the size of the first
  const int width = second_pass ? job.resolved.width : info.width;
  const int height = second_pass ? job.resolved.height : info.height;
  TextFields text{{"parameters", a1111_parameters(r, info.seed, width, height, options_.version)}};
  if (job.job.describe) text.emplace_back("waggle", job.job.describe(r));
  finisher_.post([job = image.job, info, text = std::move(text), picture = std::move(picture)]() mutable {
    std::string bytes = encode(picture, info.format, text);
    info.bytes = static_cast<std::int64_t>(bytes.size());
    if (job->job.callbacks.image) job->job.callbacks.image({info, std::move(bytes)});
  });
}

void Pipeline::Engine::finish_job(const JobPointer& job) {
  const auto now = EngineJob::Clock::now();
  RenderSummary summary;
  summary.resolved = job->resolved.request;
  summary.queue_s = seconds(job->started - job->received);
  summary.encode_s = seconds(job->encoded - job->started);
  summary.decode_s = job->decode_s;
  summary.denoise_s = seconds(now - job->encoded) - job->decode_s;
  end(job, std::move(summary));
}

void Pipeline::Engine::fail(const JobPointer& job, Error error) { end(job, std::move(error)); }

void Pipeline::Engine::end(const JobPointer& job, Result<RenderSummary> result) {
  if (job->ended) return;
  job->ended = true;
  {
    const std::lock_guard lock(mutex_);
    tickets_.erase(job->ticket);
  }
  finisher_.post([job, result = std::move(result)]() mutable {
    if (job->job.callbacks.end) job->job.callbacks.end(std::move(result));
  });
}

}  // namespace waggle::pipeline

// What the engine's own thread does, turn by turn. What it gives out is in engine_results.cpp.
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

namespace waggle::pipeline {
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
      stage.controls,
      Shortcuts::of(request, stage.evaluations_before, stage.plan->evaluations(),
                    stage.evaluations_of_schedule));
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
           // What a run leaves out is no other run's matter: its picture must not depend on its neighbours.
           image.run->shallow() == first->run->shallow() &&
           image.run->shortcuts().merged == first->run->shortcuts().merged &&
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
    StepClock::Call call{images.size(), 0, runs.front()->shallow()};
    for (const ImageRun* run : runs) call.rows += run->guided() ? 2 : 1;
    const auto begin = StepClock::Clock::now();
    answer_together(images.front()->stage().model->model->unet(), runs, contexts_);
    clock_.record(call, StepClock::Clock::now() - begin);
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

}  // namespace waggle::pipeline

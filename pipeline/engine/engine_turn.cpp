// What the engine's own thread does, turn by turn.
#include <algorithm>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "pipeline/engine/device.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/failure.h"
#include "pipeline/engine/memory.h"
#include "pipeline/engine/source_pictures.h"
#include "pipeline/image/parameters.h"
#include "schemas/validate.h"

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

void Pipeline::Engine::take_up(const JobPointer& job) {
  job->started = EngineJob::Clock::now();
  if (job->refusal) return fail(job, std::move(*job->refusal));
  if (!job->model) job->model = find_model(job->job.model);
  if (!job->model) return fail(job, {ErrorCode::unknown_model, "the model is not loaded"});
  const StableDiffusion& model = *job->model->model;
  const JobRequest& request = job->job.request;
  auto pictures = decode_pictures(request);
  if (!pictures) return fail(job, std::move(pictures).error());
  auto resolved = resolve(request, pictures->natural_size, job->model->description, model.scheduler());
  if (!resolved) return fail(job, std::move(resolved).error());
  job->resolved = std::move(*resolved);
  const JobRequest& r = job->resolved.request;

  const std::int64_t needed =
      activation_bytes(model, job->resolved.width, job->resolved.height) / (dtype_ == at::kFloat ? 1 : 2);
  if (needed > options_.memory_budget_bytes)
    return fail(job, {ErrorCode::out_of_memory,
                      "the picture needs about " + std::to_string(needed >> 20) + " MiB, the budget is " +
                          std::to_string(options_.memory_budget_bytes >> 20) + " MiB"});

  Prompts prompts;
  prompts.positive = r.prompt;
  prompts.syntax = PromptSyntax::weighted;
  prompts.clip_skip = r.clip_skip.value_or(0);
  prompts.sizes = {
      {job->resolved.height, job->resolved.width}, {0, 0}, {job->resolved.height, job->resolved.width}};
  if (r.has_negative_prompt) prompts.negative = r.negative_prompt;
  for (const auto& encoder : model.text_encoders())
    if (prompts.clip_skip >= encoder.config().layers)
      return fail(job,
                  invalid_request({{"/clip_skip", "must be below the text encoder's " +
                                                      std::to_string(encoder.config().layers) + " layers"}}));
  job->conditioning = std::make_shared<const Conditioning>(model.encode(prompts));
  auto controls = controlnets_->make(r, pictures->controls, job->resolved.width, job->resolved.height,
                                     model.unet().config());
  if (!controls) return fail(job, std::move(controls).error());
  job->controls = std::move(*controls);
  if (const auto* inpaint = std::get_if<ImageInpaint>(&request.operation))
    job->paste_back = prepare_inpainting(*inpaint, *pictures, job->resolved.width, job->resolved.height);
  job->source = make_source(model, request.operation, *pictures, job->resolved.width, job->resolved.height);
  job->encoded = EngineJob::Clock::now();
  for (int index = r.n - 1; index >= 0; --index)
    if (std::ranges::find(job->job.done, index) == job->job.done.end()) job->pending.push_back(index);
  job->evaluations_total = static_cast<int>(job->pending.size()) * job->resolved.plan->evaluations();
  clock_.progress();
}

void Pipeline::Engine::drop_cancelled() {
  for (const auto& job : jobs_)
    if (job->cancelled && !job->ended) fail(job, {ErrorCode::cancelled, "the job was cancelled"});
  std::erase_if(active_, [](const auto& image) { return image->job->ended; });
  std::erase_if(jobs_, [](const auto& job) { return job->ended; });
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
  const Resolved& resolved = job->resolved;
  const StableDiffusion& model = *job->model->model;
  auto image = std::make_unique<ActiveImage>();
  image->job = job;
  image->index = job->pending.back();
  const std::int64_t factor = model.vae_config().factor();
  auto noise = std::make_unique<SeededNoise>(*resolved.request.seed + image->index);
  ImageStart start = pipeline::start_image(model, *resolved.plan, job->source, resolved.height / factor,
                                           resolved.width / factor, *noise);
  image->run = std::make_unique<ImageRun>(
      resolved.plan, job->conditioning, Guidance{*resolved.request.guidance_scale}, std::move(noise),
      std::move(start),
      [this, raw = job.get(), index = image->index](int evaluation, const at::Tensor& latents) {
        after_step(*raw, index, evaluation, latents);
      },
      job->controls);
  job->pending.pop_back();
  ++job->images_in_hand;
  if (image->run->advance())
    active_.push_back(std::move(image));
  else
    finish_image(*image);
}

/// The images that one UNet call can answer: those that fit the one that has waited longest.
std::vector<ActiveImage*> Pipeline::Engine::next_group() {
  std::vector<ActiveImage*> group;
  if (active_.empty()) return group;
  const auto fits = [first = active_.front().get()](const ActiveImage& image) {
    return image.job->model == first->job->model &&
           image.run->question().x.sizes() == first->run->question().x.sizes() &&
           image.run->conditioning()->positive.sizes() == first->run->conditioning()->positive.sizes();
  };
  const auto others =
      std::stable_partition(active_.begin(), active_.end(), [&](const auto& i) { return fits(*i); });
  for (auto it = active_.begin(); it != others; ++it) group.push_back(it->get());
  // The others come first next time, so that groups take turns.
  std::rotate(active_.begin(), others, active_.end());
  return group;
}

void Pipeline::Engine::answer(const std::vector<ActiveImage*>& group) {
  const auto ask = [this](const std::vector<ActiveImage*>& images) {
    std::vector<ImageRun*> runs;
    for (ActiveImage* image : images) runs.push_back(image->run.get());
    const auto begin = StepClock::Clock::now();
    answer_together(images.front()->job->model->model->unet(), runs, contexts_);
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
    if (!image.run->advance()) finish_image(image);
  } catch (...) {
    auto failure = failure_of(std::current_exception());
    if (options_.log) options_.log(failure.detail);
    fail(image.job, std::move(failure.error));
    image.run.reset();
  }
}

void Pipeline::Engine::after_step(EngineJob& job, int index, int evaluation, const at::Tensor& latents) {
  ++job.evaluations_done;
  const auto& callbacks = job.job.callbacks;
  if (callbacks.progress) callbacks.progress(job.evaluations_done, job.evaluations_total);
  const auto every = job.job.request.preview_every;
  if (!callbacks.preview || !every || (evaluation + 1) % *every != 0 ||
      evaluation + 1 >= job.resolved.plan->evaluations())
    return;
  auto& preview = job.model->preview;
  if (!preview) preview = std::make_unique<const LatentPreview>(*job.model->model);
  Picture picture = preview->render(job.resolved.plan->preview_latents(latents, evaluation));
  finisher_.post([callback = callbacks.preview, picture = std::move(picture), index,
                  step = job.evaluations_done, total = job.evaluations_total] {
    callback(Preview{index, step, total, OutputFormat::jpeg, encode(picture, OutputFormat::jpeg)});
  });
}

void Pipeline::Engine::finish_image(ActiveImage& image) {
  EngineJob& job = *image.job;
  const auto begin = EngineJob::Clock::now();
  Picture picture = to_picture(job.model->model->decode(image.run->latents()));
  if (const auto& back = job.paste_back) picture = paste(back->original, picture, back->mask, back->area);
  job.decode_s += seconds(EngineJob::Clock::now() - begin);
  image.run.reset();
  --job.images_in_hand;
  clock_.progress();

  const JobRequest& r = job.resolved.request;
  ImageInfo info{image.index, *r.seed + image.index, r.output_format, picture.width, picture.height, 0};
  TextFields text{{"parameters", a1111_parameters(r, info.seed, info.width, info.height, options_.version)}};
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

// What the engine gives out: progress and previews, finished pictures, the end of a job. Runs on the engine's
// thread and leaves encoding and callbacks to the finisher's.
#include <ATen/Functions.h>

#include "pipeline/engine/engine.h"
#include "pipeline/image/parameters.h"

namespace waggle::pipeline {
namespace {

double seconds(EngineJob::Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

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
  const std::string_view traded = options_.precision == Precision::int8 ? name(Precision::int8) : "";
  TextFields text{{"parameters", a1111_parameters(r, info.seed, width, height, options_.version, traded)}};
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

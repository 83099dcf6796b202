// Taking a job up: everything about it that is settled before its first image starts, and every reason to
// refuse it.
#include <algorithm>

#include "pipeline/engine/engine.h"
#include "pipeline/engine/memory_estimate.h"
#include "pipeline/engine/source_pictures.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

bool has_picture(const JobRequest& request) {
  return !std::holds_alternative<ImageGeneration>(request.operation);
}

/// What a deep cache keeps of the finest level, beside the call that makes it anew.
std::int64_t deep_cache_bytes(const JobRequest& request, const UNetConfig& config, std::int64_t cells,
                              const ActivationKind& kind) {
  return request.deep_cache.value_or(1) > 1 ? 2 * cells * config.widths.front() * kind.element_bytes : 0;
}

/// What the thirstiest moment of one image takes, the VAE tiled where that helps.
std::int64_t needed_bytes(const EngineJob& job, std::int64_t budget) {
  const std::int64_t rows = *job.resolved.request.guidance_scale > 1.0 ? 2 : 1;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < job.stages.size(); ++i) {
    const Stage& stage = job.stages[i];
    const StableDiffusion& model = *stage.model->model;
    const std::int64_t factor = model.vae_config().factor();
    const std::int64_t height = stage.height / factor, width = stage.width / factor;
    const ActivationKind kind = ActivationKind::of(*stage.model->operations.unet);
    const UNetConfig& config = model.unet().config();
    most = std::max(most, unet_call_bytes(config, rows, height, width, kind) +
                              deep_cache_bytes(job.resolved.request, config, rows * height * width, kind));
    const bool last = i + 1 == job.stages.size();
    if (last || job.stages[i + 1].entry == Stage::Entry::enlarged)
      most = std::max(most, least_decode_bytes(model, height, width, budget));
    if ((i == 0 && has_picture(job.resolved.request)) || stage.entry == Stage::Entry::enlarged)
      most = std::max(most, least_encode_bytes(model, height, width, budget));
  }
  return most;
}

Prompts prompts_of(const EngineJob& job, const Stage& stage) {
  const JobRequest& r = job.resolved.request;
  Prompts prompts;
  prompts.positive = r.prompt;
  if (r.has_negative_prompt) prompts.negative = r.negative_prompt;
  prompts.syntax = PromptSyntax::weighted;
  prompts.clip_skip = r.clip_skip.value_or(0);
  prompts.sizes.original = prompts.sizes.target = {stage.height, stage.width};
  prompts.embeddings = stage.entry == Stage::Entry::handed_over ? job.refiner_embeddings : job.embeddings;
  return prompts;
}

std::optional<Error> clip_skip_refusal(const JobRequest& request, const StableDiffusion& model) {
  for (const auto& encoder : model.text_encoders())
    if (request.clip_skip.value_or(0) >= encoder.config().layers)
      return invalid_request({{"/clip_skip", "must be below the text encoder's " +
                                                 std::to_string(encoder.config().layers) + " layers"}});
  return std::nullopt;
}

}  // namespace

void Pipeline::Engine::take_up(const JobPointer& job) {
  job->started = EngineJob::Clock::now();
  if (job->refusal) return fail(job, std::move(*job->refusal));
  if (!job->model) return fail(job, {ErrorCode::unknown_model, "the model is not loaded"});
  const StableDiffusion& model = *job->model->model;
  const JobRequest& request = job->job.request;
  if (auto fields = validate(request); !fields.empty()) return fail(job, invalid_request(std::move(fields)));
  auto pictures = decode_pictures(request);
  if (!pictures) return fail(job, std::move(pictures).error());
  auto resolved = resolve(request, pictures->natural_size, job->model->description, model.scheduler());
  if (!resolved) return fail(job, std::move(resolved).error());
  job->resolved = std::move(*resolved);
  auto stages = lay_out_stages(job->resolved, job->model, job->refiner);
  if (!stages) return fail(job, std::move(stages).error());
  job->stages = std::move(*stages);

  const std::int64_t budget = activation_budget(), needed = needed_bytes(*job, budget);
  if (needed > budget)
    return fail(
        job, {ErrorCode::out_of_memory, "the picture needs about " + std::to_string(needed >> 20) +
                                            " MiB, the budget is " + std::to_string(budget >> 20) + " MiB"});
  const JobRequest& r = job->resolved.request;
  for (Stage& stage : job->stages) {
    if (auto refusal = clip_skip_refusal(r, *stage.model->model)) return fail(job, std::move(*refusal));
    stage.conditioning = std::make_shared<const Conditioning>(
        stage.model->model->encode(prompts_of(*job, stage), encodings_, stage.model->text_identity));
    // A ControlNet is a copy of one network's half; the refiner's is another one.
    if (stage.entry != Stage::Entry::handed_over)
      stage.controls = make_controls(r, job->control_nets, pictures->controls, stage.width, stage.height);
  }
  if (const auto* inpaint = std::get_if<ImageInpaint>(&request.operation))
    job->paste_back = prepare_inpainting(*inpaint, *pictures, job->resolved.width, job->resolved.height);
  job->source = make_source(model, request.operation, *pictures, job->resolved.width, job->resolved.height,
                            vae_bounds(*job));
  job->encoded = EngineJob::Clock::now();
  for (int index = r.n - 1; index >= 0; --index)
    if (std::ranges::find(job->job.done, index) == job->job.done.end()) job->pending.push_back(index);
  int evaluations = 0;
  for (const Stage& stage : job->stages) evaluations += stage.plan->evaluations();
  job->evaluations_total = static_cast<int>(job->pending.size()) * evaluations;
  clock_.progress();
}

}  // namespace waggle::pipeline

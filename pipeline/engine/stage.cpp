// Passes and models to stages.
#include "pipeline/engine/stage.h"

#include "pipeline/engine/job.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

bool same_latents(const StableDiffusion& a, const StableDiffusion& b) {
  const VaeConfig &one = a.vae_config(), &other = b.vae_config();
  return one.latent_channels == other.latent_channels && one.factor() == other.factor() &&
         one.scaling_factor == other.scaling_factor &&
         a.unet().config().in_channels == b.unet().config().in_channels;
}

}  // namespace

Result<std::vector<Stage>> lay_out_stages(const Resolved& resolved,
                                          const std::shared_ptr<const LoadedModel>& model,
                                          const std::shared_ptr<const LoadedModel>& refiner) {
  if (refiner && !same_latents(*model->model, *refiner->model))
    return invalid_request({{"/refiner/model", "works on other latents than the job's model"}});
  std::vector<Stage> stages;
  for (const Pass& pass : resolved.passes) {
    auto plan = make_plan(model->model->scheduler(), pass.plan);
    if (!plan) return std::move(plan).error();
    const int evaluations = (*plan)->evaluations();
    stages.push_back({stages.empty() ? Stage::Entry::operation : Stage::Entry::enlarged,
                      model,
                      std::move(*plan),
                      pass.width,
                      pass.height,
                      0,
                      evaluations,
                      {},
                      {}});
  }
  if (!refiner) return stages;
  const Pass& last = resolved.passes.back();
  PlanRequest rest = last.plan;
  rest.from = std::exchange(rest.until, std::nullopt);
  // Both must walk the same schedule, whatever the refiner's own would be.
  rest.sampler = std::string(stages.back().plan->sampler());
  auto plan = make_plan(refiner->model->scheduler(), rest);
  if (!plan) return std::move(plan).error();
  const int before = stages.back().evaluations_of_schedule, all = before + (*plan)->evaluations();
  stages.back().evaluations_of_schedule = all;
  stages.push_back(
      {Stage::Entry::handed_over, refiner, std::move(*plan), last.width, last.height, before, all, {}, {}});
  return stages;
}

}  // namespace waggle::pipeline

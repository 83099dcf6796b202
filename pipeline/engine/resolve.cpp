// Defaults of a request.
#include "pipeline/engine/resolve.h"

#include <algorithm>
#include <random>

#include "schemas/limits.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

std::int64_t draw_seed() {
  std::random_device device;
  return static_cast<std::int64_t>(device());  // 32 bits: what people can still read out loud
}

/// Of the second pass; fills the request's open fields in.
Result<Pass> resolve_hires(Hires& hires, const Resolved& first) {
  const auto cells = [](int side, double scale) {
    return static_cast<int>(side * scale) / limits::kSideMultiple * limits::kSideMultiple;
  };
  if (!hires.width) {
    const double scale = hires.scale.value_or(2.0);
    hires.width = cells(first.width, scale);
    hires.height = cells(first.height, scale);
  }
  hires.scale.reset();
  for (const int side : {*hires.width, *hires.height})
    if (side > limits::kMaxSide)
      return invalid_request({{"/hires/scale", "makes a side of " + std::to_string(side) +
                                                   " pixels, at most " + std::to_string(limits::kMaxSide)}});
  Pass pass{*hires.width, *hires.height, first.passes.front().plan};
  hires.steps = hires.steps.value_or(pass.plan.steps);
  pass.plan.steps = *hires.steps;
  pass.plan.strength = hires.strength;
  return pass;
}

}  // namespace

Result<Resolved> resolve(const JobRequest& request, std::optional<std::pair<int, int>> natural_size,
                         const ModelDescription& model, const SchedulerConfig& scheduler) {
  if (auto fields = validate(request); !fields.empty()) return invalid_request(std::move(fields));

  Resolved out;
  out.request = request;
  JobRequest& r = out.request;
  r.steps = request.steps.value_or(model.default_steps);
  r.guidance_scale = request.guidance_scale.value_or(model.default_guidance);
  r.seed = request.seed ? *request.seed : draw_seed();
  const auto whole_cells = [](int side) {
    return std::clamp(side / limits::kSideMultiple * limits::kSideMultiple, limits::kMinSide,
                      limits::kMaxSide);
  };
  const auto size = [&](std::optional<int>& width, std::optional<int>& height) {
    const int w = natural_size ? whole_cells(natural_size->first) : model.default_width;
    const int h = natural_size ? whole_cells(natural_size->second) : model.default_height;
    out.width = *(width = width.value_or(w));
    out.height = *(height = height.value_or(h));
  };
  std::visit([&](auto& operation) { size(operation.width, operation.height); }, r.operation);

  PlanRequest plan;
  plan.sampler = request.sampler.value_or("");
  plan.schedule = request.schedule.value_or("");
  plan.steps = *r.steps;
  plan.sdxl = model.family.starts_with("sdxl");
  if (const auto* transform = std::get_if<ImageTransform>(&request.operation))
    plan.strength = transform->strength;
  if (const auto* inpaint = std::get_if<ImageInpaint>(&request.operation)) plan.strength = inpaint->strength;
  out.passes.push_back({out.width, out.height, plan});
  if (auto* generation = std::get_if<ImageGeneration>(&r.operation); generation && generation->hires) {
    auto second = resolve_hires(*generation->hires, out);
    if (!second) return std::move(second).error();
    out.passes.push_back(std::move(*second));
  }
  if (request.refiner) out.passes.back().plan.until = request.refiner->start;
  auto made = make_plan(scheduler, out.passes.front().plan);
  if (!made) return std::move(made).error();
  out.plan = std::move(*made);
  r.sampler = std::string(out.plan->sampler());
  r.schedule = std::string(out.plan->schedule());
  return out;
}

}  // namespace waggle::pipeline

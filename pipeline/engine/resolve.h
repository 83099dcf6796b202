// Filling in what a request leaves open: steps, guidance, size, sampler, schedule and seed, from the model's
// own defaults.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "pipeline/pipeline.h"
#include "pipeline/samplers/plan.h"
#include "pipeline/schedules/scheduler_config.h"

namespace waggle::pipeline {

/// One way through the noise: text to image, image to image, or the second pass of a hires job.
struct Pass {
  int width = 0, height = 0;  ///< pixels
  PlanRequest plan;
};

/// A request with every default filled in, and the runs that it asks for.
struct Resolved {
  JobRequest request;
  int width = 0, height = 0;         ///< pixels, of the first pass
  std::vector<Pass> passes;          ///< one, or two with hires
  std::shared_ptr<const Plan> plan;  ///< of the first pass
};

/// `natural_size`: width and height of the input picture, when there is one: what an open size defaults to,
/// rounded down to whole latent cells.
/// **Errors**: invalid_request with the paths, unknown_sampler.
/// **Randomness**: draws a seed from the operating system when the request has none.
Result<Resolved> resolve(const JobRequest& request, std::optional<std::pair<int, int>> natural_size,
                         const ModelDescription& model, const SchedulerConfig& scheduler);

}  // namespace waggle::pipeline

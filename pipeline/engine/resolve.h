// Filling in what a request leaves open: steps, guidance, size, sampler, schedule and seed, from the model's
// own defaults.
#pragma once

#include <optional>
#include <utility>

#include "pipeline/pipeline.h"
#include "pipeline/samplers/plan.h"
#include "pipeline/schedules/scheduler_config.h"

namespace waggle::pipeline {

/// A request with every default filled in, and the run that it asks for.
struct Resolved {
  JobRequest request;
  int width = 0, height = 0;  ///< pixels
  std::shared_ptr<const Plan> plan;
};

/// `natural_size`: width and height of the input picture, when there is one: what an open size defaults to,
/// rounded down to whole latent cells.
/// **Errors**: invalid_request with the paths, unknown_sampler.
/// **Randomness**: draws a seed from the operating system when the request has none.
Result<Resolved> resolve(const JobRequest& request, std::optional<std::pair<int, int>> natural_size,
                         const ModelDescription& model, const SchedulerConfig& scheduler);

}  // namespace waggle::pipeline

// Which sampler and which schedule a request means, given the model's configuration. It looks names up;
// make_plan builds.
#pragma once

#include "pipeline/samplers/plan.h"
#include "pipeline/samplers/registry.h"
#include "pipeline/samplers/walk.h"
#include "pipeline/schedules/registry.h"

namespace waggle::pipeline {

struct Choice {
  const SamplerRow* sampler = nullptr;
  const ScheduleRow* schedule = nullptr;
  bool is_own_class = false;  ///< the model's solver settings are meant for this sampler
};

/// Errors: unknown_sampler, naming the known ones; invalid_request when the two do not go together.
Result<Choice> choose(const SchedulerConfig& model, const PlanRequest& request);

/// The choice's spacing of timesteps, by the schedule, the sampler, the model or the class default, in that
/// order.
Spacing spacing_of(const SchedulerConfig& model, const Choice& choice);

/// Whether the run ends at sigma 0 rather than at the training table's lowest level.
bool ends_at_zero(const SchedulerConfig& model, const Choice& choice);

/// The solver settings: the model's where they are meant for this sampler, else the row's.
SolverOptions solver_options(const SchedulerConfig& model, const Choice& choice, const PlanRequest& request);

/// An invalid_request about one field.
Error refusal(std::string path, std::string message);

}  // namespace waggle::pipeline

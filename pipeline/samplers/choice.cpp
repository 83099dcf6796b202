// Precedence: what the request names, then what the model's configuration says, then the table's defaults.
#include "pipeline/samplers/choice.h"

#include <utility>

namespace waggle::pipeline {

Error refusal(std::string path, std::string message) {
  return Error{ErrorCode::invalid_request, message, {FieldError{std::move(path), message}}};
}

Result<Choice> choose(const SchedulerConfig& model, const PlanRequest& request) {
  Choice choice;
  if (request.sampler.empty()) {
    choice.sampler = own_sampler(model);
    if (choice.sampler == nullptr) {
      return Error{ErrorCode::unknown_sampler, "the model's own sampler " + model.class_name + " (" +
                                                   model.algorithm_type.value_or("") + ") is none of " +
                                                   known_samplers()};
    }
  } else {
    const NamedSampler named = find_sampler_and_schedule(request.sampler);
    if (named.sampler == nullptr) {
      return Error{ErrorCode::unknown_sampler,
                   "unknown sampler \"" + request.sampler + "\"; known: " + known_samplers()};
    }
    choice.sampler = named.sampler;
    choice.schedule = named.schedule;
  }
  choice.is_own_class = choice.sampler->class_name == model.class_name;
  if (!request.schedule.empty()) {
    choice.schedule = find_schedule(request.schedule);
    if (choice.schedule == nullptr) {
      return Error{ErrorCode::unknown_sampler,
                   "unknown schedule \"" + request.schedule + "\"; known: " + known_schedules()};
    }
  }
  const bool model_decides = choice.schedule == nullptr || choice.schedule->name == "model";
  if (model_decides) {
    const bool obeys = choice.sampler->own_levels;
    choice.schedule = find_schedule(obeys && model.use_karras_sigmas        ? "karras"
                                    : obeys && model.use_exponential_sigmas ? "exponential"
                                    : obeys && model.use_beta_sigmas        ? "beta"
                                                                            : "model");
  }
  if (choice.schedule->levels != nullptr && !choice.sampler->any_schedule) {
    return refusal("/schedule", std::string(choice.sampler->name) +
                                    " runs on the model's own timesteps only, not on " +
                                    std::string(choice.schedule->name));
  }
  return choice;
}

Spacing spacing_of(const SchedulerConfig& model, const Choice& choice) {
  if (choice.schedule->spacing) return *choice.schedule->spacing;
  if (choice.sampler->fixed_spacing) return *choice.sampler->fixed_spacing;
  if (model.spacing) return *model.spacing;
  return choice.sampler->family == Family::table ? Spacing::leading : Spacing::linspace;
}

bool ends_at_zero(const SchedulerConfig& model, const Choice& choice) {
  // UniPC's older files say nothing and mean the lowest level; newer ones say "zero". DEIS and DPM-Solver on
  // the noise cannot reach zero: their step is infinite there.
  const bool can_reach_zero = choice.sampler->ends_at_zero || choice.sampler->run == unipc;
  if (!choice.is_own_class || !model.final_sigmas_type || !can_reach_zero)
    return choice.sampler->ends_at_zero;
  return *model.final_sigmas_type == "zero";
}

SolverOptions solver_options(const SchedulerConfig& model, const Choice& choice, const PlanRequest& request) {
  SolverOptions out;
  out.order = choice.sampler->solver_order;
  out.timestep_scaling = model.timestep_scaling;
  out.runge_kutta_start = choice.sampler->layout == Layout::pndm && !model.skip_prk_steps;
  if (!choice.is_own_class) return out;
  if (request.sampler.empty()) out.order = model.solver_order.value_or(out.order);
  out.heun = model.solver_type.value_or("") == "heun";
  out.bh1 = model.solver_type.value_or("") == "bh1";
  out.lower_order_final = model.lower_order_final;
  out.euler_at_final = model.euler_at_final;
  out.predict_x0 = model.predict_x0;
  out.disable_corrector = model.disable_corrector;
  out.large_variance = model.variance_type == "fixed_large";
  return out;
}

}  // namespace waggle::pipeline

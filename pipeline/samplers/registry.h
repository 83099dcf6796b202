// The table of samplers: one row each, with the names that users of diffusers, ComfyUI and AUTOMATIC1111
// type, and the traits that a plan is built from. To add a sampler: one file, one row, one golden.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/samplers/samplers.h"
#include "pipeline/schedules/registry.h"

namespace waggle::pipeline {

using SamplerFunction = SamplerCoroutine (*)(SamplerContext, at::Tensor);

/// How a sampler counts its levels, and in which scale it keeps the latents.
enum class Family {
  table,      ///< variance preserving, whole timesteps of the training table
  distilled,  ///< the same, on the points that a consistency model was distilled on
  sigma,      ///< variance exploding, levels interpolated at fractional timesteps, ends at sigma 0
  multistep,  ///< variance preserving, levels between n + 1 points
};

/// Which questions a step asks.
enum class Layout {
  single,              ///< one a step
  endpoint,            ///< at both ends of a step (Heun); one in the last
  midpoint,            ///< at the start and the geometric middle; one in the last
  ancestral_midpoint,  ///< the middle of the deterministic part of an ancestral step
  pndm,                ///< its own start, then one a step
};

struct SamplerRow {
  std::string_view name;        ///< canonical
  std::string_view label;       ///< as AUTOMATIC1111 shows it
  std::string_view class_name;  ///< diffusers'
  std::vector<std::string_view> aliases;
  SamplerFunction run;
  Family family;
  Layout layout = Layout::single;
  int order = 1;  ///< of convergence to the ODE's solution; higher-order histories start low, which caps it
                  ///< at 2; 0: none
  int solver_order = 2;          ///< of the multistep solvers
  bool draws = false;            ///< uses noise after the initial one (DDIM and TCD: when eta > 0)
  bool any_schedule = true;      ///< false: it is tied to the training table
  bool own_levels = false;       ///< obeys use_karras_sigmas and its like in the model's configuration
  bool whole_timesteps = false;  ///< levels of another schedule ask at rounded timesteps
  bool clips = false;            ///< obeys clip_sample
  bool ends_at_zero = true;      ///< false: the last level is the training table's lowest
  std::optional<Spacing> fixed_spacing =
      std::nullopt;  ///< the only spacing of its own that it was published with
  bool final_alpha_is_one =
      false;  ///< beyond timestep 0 lies the clean picture, whatever set_alpha_to_one says
  std::string_view source = {};
};

std::span<const SamplerRow> sampler_table();

/// By canonical name, label, class name (with or without "Scheduler") or alias, folded as in find_schedule.
const SamplerRow* find_sampler(std::string_view name);

/// A sampler's name that may carry a schedule: "DPM++ 2M Karras". `schedule` is null when it does not.
struct NamedSampler {
  const SamplerRow* sampler = nullptr;
  const ScheduleRow* schedule = nullptr;
};
NamedSampler find_sampler_and_schedule(std::string_view name);

/// The sampler that a model was shipped with, or null for a class that is not a latent model's.
const SamplerRow* own_sampler(const SchedulerConfig& config);

/// "ddim, ddpm, ...": for messages.
std::string known_samplers();

}  // namespace waggle::pipeline

// From levels to a walk: which steps are taken, which questions each of them asks, and where strength enters.
#pragma once

#include <vector>

#include "pipeline/samplers/registry.h"
#include "pipeline/samplers/walk.h"

namespace waggle::pipeline {

/// The levels of a schedule.
struct Levels {
  std::vector<double> sigmas;     ///< [n + 1], descending; the last is the level that the run ends at
  std::vector<double> timesteps;  ///< [n]
};

/// Steps and evaluations of samplers that keep sigmas (Family::sigma and Family::multistep), and of table
/// samplers on a schedule that is not their own.
void lay_out_levels(const Levels& levels, const SamplerRow& sampler, Walk& walk);

/// Of table samplers on their own timesteps: a step arrives `walk.stride` timesteps lower, wherever the next
/// one starts (LCM and TCD: at the next one).
void lay_out_table(const std::vector<double>& timesteps, const SamplerRow& sampler, Walk& walk);

/// Steps that begin within this share of `training_timesteps`, counted from noise.
int steps_within(double share, int training_timesteps, const SamplerRow& sampler, const Walk& walk);

/// Lets the run enter `skipped` steps late.
void skip_steps(int skipped, const SamplerRow& sampler, Walk& walk);
/// Ends the run after so many steps of the schedule, unless that is all of them.
void stop_after(int steps, const SamplerRow& sampler, Walk& walk);

}  // namespace waggle::pipeline

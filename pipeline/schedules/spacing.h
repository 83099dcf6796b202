// Which training timesteps a run of n steps visits. Three spacings (names of arXiv 2305.08891, table 2), and
// three grids, because families of samplers count their points differently. It knows timesteps only, no noise
// levels.
#pragma once

#include <vector>

#include "pipeline/schedules/scheduler_config.h"

namespace waggle::pipeline {

enum class Grid {
  whole,       ///< n whole timesteps: DDIM, DDPM, PNDM
  fractional,  ///< n timesteps, fractional where the spacing makes them so: Euler, Heun, LMS, DPM2
  multistep,   ///< n + 1 whole points, of which the last (the clean end) is dropped: DPM-Solver, UniPC, DEIS
};

/// **shape**: n timesteps, descending, within 0..train_timesteps-1. Empty when the spacing has no n distinct
/// points.
std::vector<double> spaced_timesteps(Spacing spacing, Grid grid, int n, int train_timesteps, int offset);

/// LCM's and TCD's points (arXiv 2310.04378, sec. 4.3): n of the distilled points that `strength` leaves.
/// Empty when fewer than n points are left.
std::vector<double> distilled_timesteps(int n, int train_timesteps, int distilled_points, double strength);

/// Rounds half to even, unless two neighbours would fall together.
std::vector<double> rounded_if_distinct(std::vector<double> timesteps);

}  // namespace waggle::pipeline

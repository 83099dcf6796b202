// What of the work a run leaves out knowingly, as its job asked. Decides nothing by what other runs do: a
// job's picture is the same in any batch.
#pragma once

#include <limits>

#include "schemas/operation.h"

namespace waggle::pipeline {

/// Nothing is left out by default.
struct Shortcuts {
  /// Guidance acts on evaluations [guided_from, guided_to); the others have no negative row.
  int guided_from = 0, guided_to = std::numeric_limits<int>::max();
  /// The UNet's deep levels are asked at each so-many-th evaluation, counted from the run's first.
  int deep_every = 1;
  double merged = 0.0;  ///< share of the finest tokens that is merged before self attention

  /// Those of a request for a run of `here` evaluations that begins when `before` of the `all` evaluations of
  /// its schedule are done (a refiner goes on with the schedule of the job's model).
  static Shortcuts of(const JobRequest& request, int before, int here, int all);
};

}  // namespace waggle::pipeline

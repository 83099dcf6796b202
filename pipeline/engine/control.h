// What a run is guided by beside its text: a ControlNet, the picture that it sees, how strongly and when.
//
// Several controls add up. Loads nothing and knows no jobs.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "pipeline/engine/context_cache.h"
#include "pipeline/models/controlnet.h"

namespace waggle::pipeline {

struct Control {
  std::shared_ptr<const ControlNet> net;
  at::Tensor embedded;  ///< [1, C, h, w]: ControlNet::embed of the picture
  double scale = 1.0;
  double start = 0.0, end = 1.0;  ///< share of the run in which it acts
  /// It sees the positive prompt alone, and its residuals grow from a tenth at the first skip to all in the
  /// middle.
  bool guess_mode = false;

  /// Evaluation i of n counts as active when the whole of it lies between start and end.
  [[nodiscard]] bool active(int evaluation, int evaluations) const;
};

/// One row of the UNet's batch with the controls that act on it now.
struct ControlledRow {
  ContextRow context;
  at::Tensor latents;  ///< [1, C, h, w] as the networks take them
  double t = 0;
  std::vector<const Control*> controls;
};

/// Asks each ControlNet once for all the rows that it acts on and adds up their residuals; a row without
/// controls gets zeros. Empty when no row has any.
Residuals control_residuals(std::span<const ControlledRow> rows, ContextCache& cache);

}  // namespace waggle::pipeline

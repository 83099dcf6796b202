// The stages of an image: stretches of its way that one network walks at one size. Most images have one; a
// refiner adds one at the end, a second pass at a larger size another.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "pipeline/engine/control.h"
#include "pipeline/engine/resolve.h"
#include "pipeline/models/stable_diffusion.h"
#include "pipeline/samplers/plan.h"

namespace waggle::pipeline {

struct LoadedModel;

struct Stage {
  enum class Entry : std::uint8_t {
    operation,    ///< from noise or from the request's pictures
    handed_over,  ///< from the noisy latents that the stage before leaves
    enlarged,     ///< from its finished picture, enlarged
  };

  Entry entry = Entry::operation;
  std::shared_ptr<const LoadedModel> model;
  std::shared_ptr<const Plan> plan;
  int width = 0, height = 0;  ///< pixels
  /// Evaluations of its schedule that the stage before has done, and all that the two make.
  int evaluations_before = 0, evaluations_of_schedule = 0;
  // Filled in when the job is taken up.
  std::shared_ptr<const Conditioning> conditioning;
  std::vector<Control> controls;
};

/// The stages of a request: its passes, the last of them shared with the refiner if there is one.
/// **Errors**: those of make_plan; invalid_request with /refiner/model when it works on other latents.
Result<std::vector<Stage>> lay_out_stages(const Resolved& resolved,
                                          const std::shared_ptr<const LoadedModel>& model,
                                          const std::shared_ptr<const LoadedModel>& refiner);

}  // namespace waggle::pipeline

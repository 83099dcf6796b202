// Which jobs may share UNet calls: a pure function of the request, so that the queen can file a job without
// knowing anything of the pipeline.
#pragma once

#include <string>

#include "schemas/operation.h"

namespace waggle {

/// Two jobs may share UNet calls if and only if their keys are equal: model, latent size, LoRA set (order
/// does not matter), conditioning kind, deep cache and token merging. Needs no model: absent sizes compare
/// equal to absent sizes only.
std::string batch_key(const JobRequest& request);

}  // namespace waggle
